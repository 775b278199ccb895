// What can be decided about the pictures that are chosen: in or out, weight, caption and tags.

import { button, element } from "../common/elements.mjs";
import { tagName } from "../common/texts.mjs";

const FREE = new Set(["outfit", "background"]);
const MIXED = "\u0000";
const WEIGHTS = { least: 0.1, most: 100 };

/** The value that all of `list` share, or MIXED. */
function shared(list, read) {
  const [first, ...others] = list.map(read);
  return others.every((other) => other === first) ? first : MIXED;
}

/** The weight one step above or below. */
export function stepped(weight, by) {
  const step = weight < 1 || (weight === 1 && by < 0) ? 0.1 : weight < 3 ? 0.5 : 1;
  const next = Math.round((weight + by * step) * 100) / 100;
  return Math.min(Math.max(next, WEIGHTS.least), WEIGHTS.most);
}

export class Fields {
  /** `decide(values)` is told what holds for the pictures that are chosen from now on. */
  constructor(parent, words, { decide, leave }) {
    this.words = words;
    this.decide = decide;
    this.leave = leave;
    this.element = element("div", "fields", parent);
    const top = element("div", "line", this.element);
    this.included = button(top, words("in"), () => decide({ include: true }));
    this.excluded = button(top, words("out"), () => decide({ include: false }));
    this.included.dataset.decide = "in";
    this.excluded.dataset.decide = "out";
    this.included.title = words("about_in");
    this.excluded.title = words("about_out");
    this.makeWeight(top);
    this.makeCaption();
    this.tags = element("div", "tags", this.element);
    this.inputs = {};
  }

  makeWeight(top) {
    const { words } = this;
    const box = element("label", "weight", top);
    box.title = words("about_weight");
    element("span", "quiet", box).textContent = words("weight");
    this.weight = element("input", "", box);
    Object.assign(this.weight, {
      type: "number",
      min: WEIGHTS.least,
      max: WEIGHTS.most,
      step: "any",
    });
    this.weight.addEventListener("change", () => {
      const value = Number(this.weight.value);
      const fits = this.weight.value && value > 0 && value <= WEIGHTS.most;
      if (fits) this.decide({ weight: value });
      else this.showWeight();
    });
  }

  makeCaption() {
    const { words } = this;
    this.captionBox = element("div", "captionBox", this.element);
    const line = element("div", "line", this.captionBox);
    element("span", "quiet", line).textContent = words("caption");
    this.byHand = element("span", "chip", line);
    this.byHand.textContent = words("by_hand");
    this.takeBack = button(line, words("take_back"), () => this.decide({ caption: null }));
    this.takeBack.className = "plain";
    this.takeBack.title = words("about_take_back");
    this.caption = element("textarea", "", this.captionBox);
    this.caption.rows = 4;
    this.caption.setAttribute("aria-label", words("caption"));
    this.caption.addEventListener("change", () => {
      if (this.caption.value.trim() !== this.now[0].caption) {
        this.decide({ caption: this.caption.value.trim() });
      } else this.showCaption(true);
    });
    this.caption.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.showCaption(true);
      if (
        event.key === "Escape" ||
        (event.key === "Enter" && !event.shiftKey && !event.isComposing)
      ) {
        event.preventDefault();
        this.leave();
      }
    });
  }

  /** Draws what `chosen`, each {shot, now}, have in common; `vocabulary` has each axis's values. */
  draw(chosen, vocabulary) {
    this.now = chosen.map((one) => one.now);
    this.shots = chosen.map((one) => one.shot);
    const include = shared(this.now, (now) => now.include);
    this.included.setAttribute("aria-pressed", String(include === true));
    this.excluded.setAttribute("aria-pressed", String(include === false));
    this.showWeight();
    this.captionBox.style.display = chosen.length === 1 ? "" : "none";
    this.showCaption();
    for (const axis of Object.keys(vocabulary)) this.drawTag(axis, vocabulary[axis]);
  }

  showWeight() {
    const weight = shared(this.now, (now) => now.weight);
    this.weight.value = weight === MIXED ? "" : String(weight);
    this.weight.placeholder = weight === MIXED ? "…" : "";
  }

  showCaption(anew = false) {
    const [now] = this.now;
    const [shot] = this.shots;
    const typing = this.showing === shot.hash && document.activeElement === this.caption;
    if (anew || !typing) this.caption.value = now.caption;
    this.showing = shot.hash;
    this.byHand.style.display = now.byHand ? "" : "none";
    this.takeBack.style.display = now.own && shot.caption !== now.caption ? "" : "none";
  }

  drawTag(axis, values) {
    const input = (this.inputs[axis] ??= this.makeTag(axis, values));
    const value = shared(this.now, (now) => now.tags[axis] ?? "");
    if (input instanceof HTMLSelectElement) {
      for (const option of [...input.options]) if (option.dataset.other) option.remove();
      const known = [...input.options].some((option) => option.value === value);
      if (!known) {
        const other = new Option(value === MIXED ? "…" : value, value);
        other.dataset.other = "true";
        input.add(other);
      }
      input.value = value;
    } else if (document.activeElement !== input) {
      input.value = value === MIXED ? "" : value;
      input.placeholder = value === MIXED ? "…" : "–";
    }
  }

  makeTag(axis, values) {
    const label = element("label", "", this.tags);
    label.dataset.axis = axis;
    element("span", "quiet", label).textContent = tagName(this.words, axis);
    const made = FREE.has(axis)
      ? element("input", "", label)
      : this.makeChoice(label, axis, values);
    made.addEventListener("change", () => {
      if (made.value !== MIXED) this.decide({ tags: { [axis]: made.value.trim() } });
    });
    made.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" || event.key === "Escape") this.leave();
    });
    return made;
  }

  makeChoice(parent, axis, values) {
    const made = element("select", "", parent);
    made.add(new Option("–", ""));
    for (const [value, phrase] of Object.entries(values)) {
      made.add(new Option(tagName(this.words, value, axis, phrase), value));
    }
    return made;
  }
}
