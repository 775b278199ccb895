// The sliders, folded by region: a row for each thing a face can do, its two sides beside each other.

import { button, element } from "../common/elements.mjs";
import { baseOf, sideOf } from "./rig.mjs";

export class Sliders {
  open = "";

  /** `told` is called with each change while a slider moves; `resized` when rows fold or unfold. */
  constructor(parent, { words, values, nameOf, told, both, resized }) {
    this.words = words;
    this.values = values;
    this.nameOf = nameOf;
    this.told = told;
    this.both = both;
    this.resized = resized;
    this.tabs = element("div", "tabs", parent);
    this.rows = element("div", "rows", parent);
    this.rows.dataset.captureWheel = "true";
    this.inputs = new Map();
    this.headers = new Map();
    for (const region of values.rig.table.regions) {
      const made = button(this.tabs, words(`regions.${region}`), () => this.unfold(region));
      made.dataset.region = region;
      made.setAttribute("aria-expanded", "false");
      element("i", "", made);
      this.headers.set(region, made);
    }
    this.rows.addEventListener("pointerdown", (event) => event.stopPropagation());
    this.rows.addEventListener("keydown", (event) => event.stopPropagation());
  }

  unfold(region) {
    this.open = this.open === region ? "" : region;
    this.build();
    this.draw();
    this.resized();
  }

  build() {
    this.rows.replaceChildren();
    this.inputs.clear();
    const { rig } = this.values;
    const here = [...rig.sliders.values()].filter((one) => one.region === this.open);
    for (const base of new Set(here.map(({ name }) => baseOf(name)))) {
      const row = element("div", "row", this.rows);
      element("span", "name", row).textContent = this.words(`sliders.${base}`);
      for (const slider of here.filter(({ name }) => baseOf(name) === base)) this.add(row, slider);
    }
  }

  add(row, { name, low, high, region }) {
    const pair = element("label", "amount", row);
    const input = element("input", "", pair);
    const head = region === "head";
    Object.assign(input, { type: "range", min: low, max: high, step: head ? 0.1 : 0.01 });
    input.dataset.slider = name;
    input.setAttribute("aria-label", this.nameOf(name));
    pair.title = this.nameOf(name);
    const number = element("output", "", pair);
    input.addEventListener("input", () => this.move(name, Number(input.value)));
    input.addEventListener("change", () => this.values.changed());
    pair.addEventListener("dblclick", () => {
      this.values.rest([
        name,
        ...(this.both() && sideOf(name) ? [this.values.rig.twin(name)] : []),
      ]);
      this.told();
      this.values.changed();
    });
    this.inputs.set(name, { input, number });
  }

  move(name, value) {
    this.values.setTotal(name, value);
    const twin = this.both() && this.values.rig.twin(name);
    if (twin) this.values.setTotal(twin, value);
    this.told();
  }

  draw() {
    const { rig } = this.values;
    for (const [region, made] of this.headers) {
      const names = [...rig.sliders.values()].filter((one) => one.region === region);
      const moved = names.some(({ name }) => Math.abs(this.values.total(name)) > 0.005);
      made.classList.toggle("moved", moved);
      made.setAttribute("aria-expanded", String(this.open === region));
    }
    for (const [name, { input, number }] of this.inputs) {
      const value = this.values.total(name);
      if (Number(input.value) !== value) input.value = String(value);
      const { low, high } = rig.sliders.get(name);
      const share = (at) => (100 * (at - low)) / (high - low);
      input.style.setProperty("--from", `${share(Math.min(0, value))}%`);
      input.style.setProperty("--to", `${share(Math.max(0, value))}%`);
      number.textContent = value.toFixed(Math.abs(high) > 2 ? 1 : 2).replace("-", "\u2212");
    }
  }
}
