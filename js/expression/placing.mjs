// Twelve points that a person places on a face that no detector finds, one after the other.

import { element } from "../common/elements.mjs";

export class Placing {
  points = [];
  active = false;

  /**
   * `names` are what is pointed at; `done` gets the points as shares of width
   * and height; `ended` is told when there will be none.
   */
  constructor(stage, { words, names, told, done, ended }) {
    this.words = words;
    this.names = names;
    this.told = told;
    this.done = done;
    this.ended = ended;
    this.layer = element("div", "placing", stage);
    this.layer.tabIndex = 0;
    this.layer.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      event.stopPropagation();
      this.layer.focus({ preventScroll: true });
      const box = this.layer.getBoundingClientRect();
      this.add([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
    });
    this.layer.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.key === "Tab") return;
      event.stopPropagation();
      if (event.key === "Escape") this.stop();
      else if (event.key === "Backspace" || event.key === "Delete") this.back();
      else return;
      event.preventDefault();
    });
  }

  start() {
    this.active = true;
    this.points = [];
    this.draw();
    this.layer.focus({ preventScroll: true });
  }

  stop() {
    this.active = false;
    this.draw();
    this.ended();
  }

  add(point) {
    this.points.push(point.map((share) => Math.round(1e5 * Math.min(1, Math.max(0, share))) / 1e5));
    if (this.points.length === this.names.length) {
      this.active = false;
      this.done(this.points);
    }
    this.draw();
  }

  back() {
    this.points.pop();
    this.draw();
  }

  /** What to point at now. */
  get asked() {
    const at = this.points.length;
    const what = this.words(`points.${this.names[at]?.point}`);
    return this.words("place", { number: at + 1, total: this.names.length, what });
  }

  draw() {
    this.layer.style.display = this.active ? "" : "none";
    this.layer.replaceChildren();
    this.points.forEach(([x, y], at) => {
      const dot = element("i", "", this.layer);
      dot.textContent = String(at + 1);
      dot.style.left = `${100 * x}%`;
      dot.style.top = `${100 * y}%`;
    });
    this.told();
  }
}
