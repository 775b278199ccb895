// The values of the node's own widgets, as the panel shows and sets them.

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

  get(name) {
    return this.widgets.get(name)?.value;
  }

  set(name, value) {
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
