// What can be done with the whole face: see it as it was, both sides at once, rest, keep, place.

import { button, element } from "../common/elements.mjs";

export class Tools {
  both = true;

  constructor(parent, editor) {
    const { words } = editor;
    this.words = words;
    this.editor = editor;
    this.element = element("div", "tools", parent);
    this.before = this.add("before", () => {});
    const see = (wanted) => editor.stage.showBefore(wanted);
    this.before.addEventListener("pointerdown", () => see(true));
    for (const end of ["pointerup", "pointerleave", "blur", "keyup"]) {
      this.before.addEventListener(end, () => see(false));
    }
    this.before.addEventListener("keydown", (event) => {
      if (event.key === " " || event.key === "Enter") see(true);
    });
    this.sides = this.add("both", () => {
      this.both = !this.both;
      this.draw();
    });
    this.lines = this.add("lines", () => {
      editor.stage.element.classList.toggle("bare");
      this.draw();
    });
    this.place = this.add("place_points", () => editor.place());
    this.rest = this.add("reset", () => editor.reset());
    this.keep = this.add("keep", () => this.ask());
    this.form = element("form", "keeping", parent);
    this.name = element("input", "", this.form);
    Object.assign(this.name, { type: "text", maxLength: 40, placeholder: words("keep_as") });
    this.name.setAttribute("aria-label", words("keep_as"));
    this.form.style.display = "none";
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.name.value.trim()) editor.keep(this.name.value.trim());
      this.ask(false);
    });
    this.form.addEventListener("keydown", (event) => {
      event.stopPropagation(); // The page has keys of its own.
      if (event.key === "Escape") this.ask(false);
    });
  }

  add(name, pressed) {
    const made = button(this.element, this.words(name), pressed);
    made.title = this.words(`about_${name}`);
    made.dataset.action = name;
    return made;
  }

  /** Shows the line in which a preset is given its name, or hides it. */
  ask(wanted = this.form.style.display === "none") {
    this.form.style.display = wanted ? "" : "none";
    this.name.value = "";
    if (wanted) this.name.focus({ preventScroll: true });
    this.editor.measure();
  }

  draw() {
    const { editor } = this;
    const { face } = editor;
    const whole = face && editor.pictures[editor.picture]?.whole;
    this.element.style.display = face ? "" : "none";
    this.place.style.display = whole ? "" : "none";
    this.place.setAttribute("aria-pressed", String(editor.placing.active));
    this.sides.setAttribute("aria-pressed", String(this.both));
    this.lines.setAttribute(
      "aria-pressed",
      String(!editor.stage.element.classList.contains("bare")),
    );
    for (const made of [this.before, this.sides, this.lines]) made.disabled = !face?.landmarks;
    this.rest.disabled = this.keep.disabled = editor.atRest;
  }
}
