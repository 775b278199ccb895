// Expressions as buttons, each with a small face, and how much of it.

import { button, element } from "../common/elements.mjs";
import { glyph } from "./glyph.mjs";

export const presetName = (words, name) =>
  words.knows(`presets.${name}`) ? words(`presets.${name}`) : name;

export class Presets {
  /** `told` is called with each change; `keep(name)` keeps the sliders as a preset. */
  constructor(parent, { words, values, told }) {
    this.words = words;
    this.values = values;
    this.told = told;
    this.list = element("div", "presets", parent);
    this.list.setAttribute("role", "group");
    this.list.setAttribute("aria-label", words("preset_list"));
    const line = element("label", "strength", parent);
    element("span", "", line).textContent = words("strength");
    this.input = element("input", "", line);
    Object.assign(this.input, { type: "range", min: 0, max: 1.5, step: 0.01 });
    this.input.dataset.strength = "true";
    this.number = element("output", "", line);
    this.input.addEventListener("input", () => {
      values.set("strength", Number(this.input.value));
      told();
    });
    this.input.addEventListener("change", () => values.changed());
    line.addEventListener("pointerdown", (event) => event.stopPropagation());
    line.addEventListener("keydown", (event) => event.stopPropagation());
    this.line = line;
    this.build();
  }

  build() {
    this.list.replaceChildren();
    this.made = new Map();
    const { rig } = this.values;
    for (const [name, sliders] of Object.entries(rig.presets)) {
      const made = button(this.list, "", (event) => this.take(name, event));
      made.append(glyph(sliders));
      const said = presetName(this.words, name);
      element("span", "", made).textContent = said;
      made.dataset.preset = name;
      made.title = `${said}. ${this.words("about_preset")}`;
      this.made.set(name, made);
    }
  }

  take(name, event) {
    const { values } = this;
    const again = values.get("preset") === name && !event.shiftKey;
    values.take(again ? values.own : name, event.shiftKey);
    this.told();
  }

  draw() {
    const chosen = this.values.get("preset");
    for (const [name, made] of this.made) {
      made.setAttribute("aria-pressed", String(name === chosen));
    }
    const strength = Number(this.values.get("strength") ?? 1);
    this.input.value = String(strength);
    this.input.style.setProperty("--from", "0%");
    this.input.style.setProperty("--to", `${(100 * strength) / 1.5}%`);
    this.number.textContent = strength.toFixed(2);
    this.line.classList.toggle("off", chosen === this.values.own);
  }
}
