// The expression editor in a node: a face that can be held, its presets and its sliders.

import { button, element, onceAFrame } from "../common/elements.mjs";
import { Panel } from "../common/panel.mjs";
import { Foot } from "./foot.mjs";
import { Head } from "./head.mjs";
import { Placing } from "./placing.mjs";
import { Presets } from "./presets.mjs";
import { Rig, baseOf, sideOf } from "./rig.mjs";
import { Sliders } from "./sliders.mjs";
import { Stage } from "./stage.mjs";
import { Tools } from "./tools.mjs";
import { Values } from "./values.mjs";

const TALLEST = 420; // of the face, in px
const GAP = 6;
const HEIGHT = 260; // until there is a face

export class Editor extends Panel {
  /** @type {import("../types").ExpressionView | null} */
  view = null;
  picture = 0;
  /** @type {import("../types").Face | null} */
  face = null;
  notes = [];
  trouble = "";
  faces = new Map();
  stale = false;
  bending = null;
  /** @type {Values | null} */
  values = null;

  /**
   * `widgets` are the node's by name. `server` answers rig(), face(key), preview(asked) and
   * keep(name, sliders). `changed` is told after a person's change, and `run` runs the node.
   */
  constructor({ words, widgets, server, changed, resized, run }) {
    super("expression", HEIGHT, resized);
    this.words = words;
    this.widgets = widgets;
    this.server = server;
    this.changed = changed;
    this.run = run;
    this.schedule = onceAFrame(() => this.draw());
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.element);
    this.ready = server.rig().then((told) => this.build(told));
  }

  build(told) {
    const { words } = this;
    if (!told) {
      element("div", "empty", this.element).textContent = words("unreachable");
      return;
    }
    const { rig, presets, own } = told;
    this.values = new Values(this.widgets, new Rig({ rig, presets }), own, this.changed);
    this.head = new Head(this.element, this);
    this.empty = element("div", "empty", this.element);
    element("span", "", this.empty).textContent = words("empty");
    button(this.empty, words("run"), () => this.run()).dataset.action = "run";
    const both = () => this.tools.both;
    const nameOf = (name) => {
      const side = sideOf(name);
      return words(`sliders.${baseOf(name)}`) + (side ? `, ${words(`sides.${side}`)}` : "");
    };
    const common = { words, values: this.values, nameOf, both, told: () => this.moved() };
    this.stage = new Stage(this.element, common);
    this.placing = new Placing(this.stage.element, {
      ...common,
      names: rig.hand_placed,
      told: () => this.schedule(),
      done: (points) => this.placed(points),
      ended: () => this.load(),
    });
    this.tools = new Tools(this.element, this);
    this.presets = new Presets(this.element, common);
    this.sliders = new Sliders(this.element, { ...common, resized: () => this.measure() });
    this.foot = new Foot(this.element, this);
    this.placing.draw();
    this.load();
  }

  get pictures() {
    return this.view?.pictures ?? [];
  }

  get faceIndex() {
    return Number(this.widgets.get("face_index")?.value ?? 0);
  }

  /** The key of the face, or whole picture, that is shown. */
  get key() {
    const { whole = "", faces = [] } = this.pictures[this.picture] ?? {};
    const points = this.values.get("points");
    // What was placed since the last run is told by the points alone.
    if (whole && (this.placing?.active || points !== this.view.points)) return whole;
    return faces[this.faceIndex] ?? faces[0] ?? whole;
  }

  /** Takes up what the node told after a run. */
  async take(view) {
    this.view = view;
    this.faces.clear();
    this.picture = Math.min(this.picture, Math.max(0, this.pictures.length - 1));
    await this.ready;
    if (!this.values) return;
    this.values.copied = view?.copied ?? {};
    await this.load();
  }

  /** Somebody has changed a widget, here or elsewhere. */
  valuesChanged() {
    if (!this.values) return;
    if (this.face && this.key && this.face.key !== this.key) this.load();
    else this.moved();
  }

  /** Gets the face that is to be shown, and shows it. */
  async load() {
    const { key } = this;
    if (key && !this.faces.has(key)) {
      const face = await this.server.face(key);
      if (key !== this.key) return;
      this.faces.set(key, face);
    }
    this.face = this.faces.get(key) ?? null;
    this.notes = [];
    this.trouble = "";
    this.stage.show(this.face);
    this.moved();
  }

  /** Draws what the sliders say by now: the lines at once, the picture when the server has it. */
  moved() {
    if (this.face?.landmarks) this.stage.follow();
    this.schedule();
    this.stale = true;
    this.bending ??= this.bend().finally(() => (this.bending = null));
  }

  async bend() {
    while (this.stale) {
      this.stale = false;
      const { face, values } = this;
      if (!face || (!face.landmarks && (this.placing.active || !values.get("points")))) break;
      if (face.landmarks && this.atRest) {
        this.notes = [];
        this.stage.bend(face.picture, face.landmarks);
        continue;
      }
      const answer = await this.server.preview({
        key: face.key,
        preset: values.get("preset"),
        strength: values.get("strength"),
        sliders: values.offsets(),
        copied: values.copied,
        neutralise: values.get("neutralise"),
        paints: this.view?.paints ?? false,
        points: values.get("points"),
      });
      if (face !== this.face) continue;
      this.trouble = answer.error ?? "";
      if (!answer.error) this.bent(answer);
      this.schedule();
    }
  }

  bent(answer) {
    this.notes = answer.notes;
    if (!this.face.landmarks) {
      // Points that were placed by hand: only the server knows what face they make.
      this.face.landmarks = answer.from;
      this.face.yaw = answer.yaw;
      this.stage.landmarks = answer.from;
      this.stage.show(this.face);
    }
    // While something moves on, the lines are ahead of this answer.
    this.stage.bend(answer.picture, this.stale ? this.stage.landmarks : answer.landmarks);
  }

  get atRest() {
    const { values } = this;
    if (values.get("neutralise") || values.get("preset") === "neutral") return false;
    return Object.values(values.totals()).every((total) => Math.abs(total) < 0.005);
  }

  placed(points) {
    this.forgetPlaced();
    this.values.set("points", JSON.stringify(points));
    this.load();
    this.changed();
  }

  /** Begins to place the points, or stops that. */
  async place() {
    if (this.placing.active) return this.placing.stop();
    this.placing.start();
    await this.load();
    this.forgetPlaced();
    return this.moved();
  }

  /** The whole picture has no landmarks of its own. */
  forgetPlaced() {
    if (!this.face || this.pictures[this.picture]?.whole !== this.face.key) return;
    this.face.landmarks = null;
    this.stage.show(this.face);
    this.stage.bend(this.face.picture, null);
  }

  reset() {
    this.values.rest();
    this.values.set("preset", this.values.own);
    this.values.set("strength", 1);
    this.moved();
    this.changed();
  }

  async keep(name) {
    const answer = await this.server.keep(name, this.values.totals());
    this.trouble = answer.error ?? "";
    if (answer.error) return this.schedule();
    this.values.rig.presets[answer.name] = answer.sliders;
    const { options } = this.widgets.get("preset");
    if (!options.values.includes(answer.name)) options.values.push(answer.name);
    this.presets.build();
    this.values.take(answer.name, false);
    return this.moved();
  }

  nextFace() {
    const count = this.pictures[this.picture].faces.length;
    this.values.set("face_index", (Math.min(this.faceIndex, count - 1) + 1) % count);
    this.changed();
  }

  turn(by) {
    this.picture = (this.picture + by + this.pictures.length) % this.pictures.length;
    this.load();
  }

  draw() {
    if (!this.values) return;
    const { face } = this;
    this.head.draw();
    this.empty.style.display = face ? "none" : "";
    this.stage.element.style.display = face ? "" : "none";
    this.tools.draw();
    this.presets.draw();
    this.sliders.draw();
    this.foot.draw();
    this.measure();
  }

  /** Works out how much room everything needs, and asks for it when that has changed. */
  measure() {
    const width = this.element.clientWidth;
    if (!width || !this.values) return;
    if (this.face) {
      const aspect = this.face.size[0] / this.face.size[1];
      const height = Math.min(width / aspect, TALLEST);
      this.stage.element.style.width = `${Math.round(height * aspect)}px`;
    }
    const children = /** @type {HTMLElement[]} */ ([...this.element.children]);
    const shown = children.filter((child) => child.offsetHeight);
    this.need(shown.reduce((sum, child) => sum + child.offsetHeight + GAP, 4));
  }

  close() {
    this.observer.disconnect();
  }
}
