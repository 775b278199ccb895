// The face: its picture, the lines of its features, and handles that can be pulled or stepped by key.

import { element, svgElement } from "../common/elements.mjs";
import { handles, partsOf } from "./handles.mjs";
import { baseOf, frameOf, pulled } from "./rig.mjs";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.012; // of a key, in outer-eye distances
const FAR = 4; // times that with Shift

export class Stage {
  /** @type {import("../types").Face | null} */
  face = null;
  landmarks = null;
  held = null;
  before = false;

  /**
   * `values` are the widgets'; `told` is called with each change while something is held, and
   * `both` says whether both sides move.
   */
  constructor(parent, { words, values, told, both }) {
    this.words = words;
    this.values = values;
    this.told = told;
    this.both = both;
    this.element = element("div", "stage", parent);
    this.image = element("img", "", this.element);
    this.image.alt = words("face");
    this.image.draggable = false;
    this.original = element("img", "original", this.element);
    this.original.alt = "";
    this.original.draggable = false;
    const fill = { "aria-hidden": "true", preserveAspectRatio: "none" };
    this.lines = svgElement("svg", fill, this.element);
    this.holds = element("div", "holds", this.element);
    this.label = element("div", "label", this.element);
    this.mark = element("div", "mark", this.element);
    this.mark.textContent = words("before");
    // Otherwise the page would drag the node, or what it takes for a picture.
    this.element.addEventListener("pointerdown", (event) => event.stopPropagation());
    this.element.addEventListener("dragstart", (event) => event.preventDefault());
  }

  /** Shows `face`: {key, size, picture, landmarks, yaw}; landmarks may be null. */
  show(face) {
    const another = face?.key !== this.face?.key;
    this.face = face;
    if (!face) return;
    const [width, height] = face.size;
    this.element.style.aspectRatio = `${width} / ${height}`;
    this.element.style.setProperty("--aspect", String(width / height));
    this.lines.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.original.src = face.picture;
    if (another) this.image.src = face.picture;
    if (another) this.landmarks = face.landmarks;
    this.build();
    this.draw();
  }

  /** Takes the server's answer: the bent picture, and where the landmarks have come to. */
  bend(picture, landmarks) {
    this.image.src = picture;
    this.landmarks = landmarks;
    this.draw();
  }

  /** Moves the lines and handles at once, before the server's picture is there. */
  follow() {
    if (!this.face?.landmarks) return;
    this.landmarks = this.values.rig.moved(this.face, this.values.totals());
    this.draw();
  }

  build() {
    this.holds.replaceChildren();
    this.lines.replaceChildren();
    this.places = [];
    this.paths = [];
    if (!this.face.landmarks) return;
    const { rig } = this.values;
    this.paths = [rig.table.outline, ...rig.curves].map((curve, at) => {
      const path = svgElement("path", {}, this.lines);
      return { path, curve: at ? curve : [...curve, curve[0]] };
    });
    this.places = handles(rig).map((handle) => {
      const made = element("button", `hold at-${handle.part}`, this.holds);
      made.type = "button";
      made.dataset.handle = handle.name;
      this.listen(made, handle);
      return { made, handle };
    });
  }

  draw() {
    if (!this.face?.landmarks || !this.landmarks) return;
    const [width, height] = this.face.size;
    for (const { path, curve } of this.paths) {
      const points = curve.map((at) => this.landmarks[at].map((one) => one.toFixed(1)).join(" "));
      path.setAttribute("d", `M${points.join("L")}`);
    }
    for (const { made, handle } of this.places) {
      const [x, y] = this.landmarks[handle.point];
      made.style.left = `${(100 * x) / width}%`;
      made.style.top = `${(100 * y) / height}%`;
      const off = handle.sliders.some((name) => Math.abs(this.values.total(name)) > 0.005);
      made.classList.toggle("moved", off);
      made.setAttribute("aria-label", this.said(handle));
    }
  }

  /** What a handle is, and how far those of its sliders are that are not at rest. */
  said(handle) {
    const side = handle.side ? `, ${this.words(`sides.${handle.side}`)}` : "";
    const amounts = handle.sliders
      .map((name) => [this.words(`sliders.${baseOf(name)}`), this.values.total(name)])
      .filter(([, total]) => Math.abs(total) > 0.005)
      .map(([name, total]) => `${name} ${total.toFixed(2)}`);
    const what = `${this.words(`handles.${handle.part}`)}${side}`;
    return amounts.length ? `${what}: ${amounts.join(" · ")}` : what;
  }

  listen(made, handle) {
    made.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      event.stopPropagation();
      made.focus({ preventScroll: true });
      made.setPointerCapture(event.pointerId);
      this.take(handle, event);
      made.classList.add("held");
    });
    made.addEventListener("pointermove", (event) => {
      if (this.held?.handle === handle) this.pull(event);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      made.addEventListener(end, () => this.release(made));
    }
    made.addEventListener("keydown", (event) => this.press(event, handle));
    made.addEventListener("pointerenter", () => this.name(handle));
    made.addEventListener("pointerleave", () => !this.held && this.name(null));
    made.addEventListener("focus", () => this.name(handle));
    made.addEventListener("blur", () => this.name(null));
    made.addEventListener("dblclick", () => this.rest(handle));
  }

  name(handle) {
    this.label.textContent = handle ? this.said(handle) : "";
  }

  take(handle, event) {
    const totals = this.values.totals();
    this.held = { handle, totals, at: [event.clientX, event.clientY], moved: false };
  }

  pull(event) {
    const { held } = this;
    const box = this.element.getBoundingClientRect();
    const scale = this.face.size[0] / (box.width || 1);
    /** @type {import("../types").Point} */
    const away = [(event.clientX - held.at[0]) * scale, (event.clientY - held.at[1]) * scale];
    held.moved ||= Math.hypot(...away) > 1;
    if (!held.moved) return;
    const way = frameOf(this.face.landmarks, this.face.yaw).inside(away);
    this.bring(held.handle, held.totals, way, this.both() !== event.altKey);
  }

  release(made) {
    if (!this.held) return;
    const { moved } = this.held;
    this.held = null;
    made.classList.remove("held");
    if (moved) this.values.changed();
  }

  /** Sets the handle's sliders so that it comes `way` [u, v] further than at `totals`. */
  bring(handle, totals, way, both) {
    const { values } = this;
    const found = pulled(partsOf(handle, values.rig, this.face, totals), way);
    for (const [name, value] of found) {
      values.setTotal(name, value);
      const twin = both && values.rig.twin(name);
      if (twin) values.setTotal(twin, value);
    }
    this.told();
    this.name(handle);
  }

  press(event, handle) {
    const step = STEPS[event.key];
    const away = ["Delete", "Backspace", "0"].includes(event.key);
    if (event.ctrlKey || event.metaKey || event.key === "Tab") return;
    event.stopPropagation(); // The page has keys of its own: Delete removes the node.
    if (!step && !away) return;
    event.preventDefault();
    if (away) return this.rest(handle);
    const by = STEP * (event.shiftKey ? FAR : 1);
    this.bring(
      handle,
      this.values.totals(),
      step.map((one) => one * by),
      this.both() !== event.altKey,
    );
    this.values.changed();
  }

  rest(handle) {
    const { rig } = this.values;
    const twins = this.both() ? handle.sliders.map((name) => rig.twin(name)).filter(Boolean) : [];
    this.values.rest([...handle.sliders, ...twins]);
    this.told();
    this.values.changed();
    this.name(handle);
  }

  /** Shows the picture as it was, for as long as that is wanted. */
  showBefore(wanted) {
    this.before = wanted;
    this.element.classList.toggle("before", wanted);
  }
}
