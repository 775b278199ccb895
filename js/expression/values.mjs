// The values of the node's own widgets, as the panel shows and sets them.

const EDITS = "face_edits";

/** The edits in the widget's text; none where it holds none. */
export function parsedEdits(text) {
  let told = null;
  try {
    told = JSON.parse(text || "{}");
  } catch {
    // Typed by hand: the node says what is wrong with it.
  }
  const { sliders, points } = Object(told);
  const amounts = Object.entries(Object(sliders)).filter(([, amount]) => Number.isFinite(amount));
  return { sliders: Object.fromEntries(amounts), points: Array.isArray(points) ? points : [] };
}

/** The widget's text for `edits`; none for a face that nobody touched. */
export function writtenEdits({ sliders, points }) {
  const names = Object.keys(sliders).sort();
  if (!names.length && !points.length) return "";
  const ordered = Object.fromEntries(names.map((name) => [name, sliders[name]]));
  return JSON.stringify(points.length ? { sliders: ordered, points } : { sliders: ordered });
}

const writtenPoints = (points) => (points.length ? JSON.stringify(points) : "");

/** What each slider comes to: the copied expression, the preset by its strength, and its widget. */
export class Values {
  copied = {};

  /**
   * `widgets` are the node's by name; `rig` knows the sliders and presets; `own` is the preset that
   * is none; `changed` is told once after something that a person did is complete.
   */
  constructor(widgets, rig, own, changed) {
    this.widgets = widgets;
    this.rig = rig;
    this.own = own;
    this.changed = changed;
  }

  /** What the one widget holds that has all edits of the face: {sliders, points}. */
  get edits() {
    return parsedEdits(this.widgets.get(EDITS)?.value);
  }

  get(name) {
    if (name === "points") return writtenPoints(this.edits.points);
    if (this.rig.sliders.has(name)) return this.edits.sliders[name] ?? 0;
    return this.widgets.get(name)?.value;
  }

  set(name, value) {
    if (this.rig.sliders.has(name)) {
      const { sliders, points } = this.edits;
      const others = Object.entries(sliders).filter(([other]) => other !== name);
      const all = value ? [...others, [name, value]] : others;
      return this.setWidget(EDITS, writtenEdits({ sliders: Object.fromEntries(all), points }));
    }
    if (name === "points") {
      const points = value ? JSON.parse(value) : [];
      return this.setWidget(EDITS, writtenEdits({ sliders: this.edits.sliders, points }));
    }
    return this.setWidget(name, value);
  }

  setWidget(name, value) {
    const widget = this.widgets.get(name);
    if (!widget || widget.value === value) return;
    widget.value = value;
    widget.callback?.(value);
  }

  /** What a slider is before its own widget is added. */
  under(name) {
    const preset = this.rig.presets[this.get("preset")]?.[name] ?? 0;
    return preset * (this.get("strength") ?? 1) + (this.copied[name] ?? 0);
  }

  total(name) {
    return this.rig.clamped(name, this.under(name) + Number(this.get(name) ?? 0));
  }

  totals() {
    return Object.fromEntries([...this.rig.sliders.keys()].map((name) => [name, this.total(name)]));
  }

  setTotal(name, value) {
    const step = this.rig.sliders.get(name).region === "head" ? 10 : 100;
    const offset = this.rig.clamped(name, value) - this.under(name);
    this.set(name, Math.round(offset * step) / step || 0);
  }

  /** The sliders whose own widget is not at rest. */
  offsets() {
    const names = [...this.rig.sliders.keys()].filter((name) => Number(this.get(name) ?? 0));
    return Object.fromEntries(names.map((name) => [name, Number(this.get(name))]));
  }

  /** Puts every slider's own widget to rest, or those of `names`. */
  rest(names = this.rig.sliders.keys()) {
    for (const name of names) this.set(name, 0);
  }

  /** Takes a preset instead of what there is, or adds it to that. */
  take(preset, adds) {
    if (adds) {
      const more = this.rig.presets[preset];
      const strength = this.get("strength") ?? 1;
      for (const name of Object.keys(more)) {
        this.setTotal(name, this.total(name) + more[name] * strength);
      }
    } else {
      this.rest();
      this.set("preset", preset);
    }
    this.changed();
  }
}
