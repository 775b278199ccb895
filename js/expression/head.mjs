// The line over the face: which expression it has, which face of which picture it is, and the next.

import { button, element } from "../common/elements.mjs";
import { presetName } from "./presets.mjs";

export class Head {
  constructor(parent, editor) {
    this.editor = editor;
    this.words = editor.words;
    const line = element("div", "head", parent);
    this.title = element("b", "", line);
    this.where = element("span", "rest", line);
    this.turns = element("div", "turns", line);
  }

  draw() {
    const { editor, words } = this;
    const preset = editor.values.get("preset");
    const none = preset === editor.values.own;
    this.title.textContent = none
      ? words(editor.atRest ? "at_rest" : "own")
      : presetName(words, preset);
    const faces = editor.pictures[editor.picture]?.faces.length ?? 0;
    const number = Math.min(editor.faceIndex, faces - 1) + 1;
    const pictures = editor.pictures.length;
    const parts = [];
    if (faces > 1) parts.push(words("face_of", { number, count: faces }));
    if (pictures > 1) {
      parts.push(words("picture_of", { number: editor.picture + 1, count: pictures }));
    }
    const where = parts.join(" · ");
    if (where === this.where.textContent) return;
    this.where.textContent = where;
    this.turns.replaceChildren();
    if (faces > 1) button(this.turns, words("next_face"), () => editor.nextFace());
    if (pictures > 1) {
      button(this.turns, "‹", () => editor.turn(-1)).setAttribute("aria-label", words("earlier"));
      button(this.turns, "›", () => editor.turn(1)).setAttribute("aria-label", words("later"));
    }
  }
}
