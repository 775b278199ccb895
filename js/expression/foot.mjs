// The line under the sliders: the one thing that is worth saying.

import { element, lastOf } from "../common/elements.mjs";
import { MOST_TURN } from "./handles.mjs";

export class Foot {
  constructor(parent, editor) {
    this.editor = editor;
    this.words = editor.words;
    this.element = element("div", "foot", parent);
    this.element.setAttribute("role", "status");
  }

  draw() {
    const { text, wrong } = this.said();
    this.element.textContent = this.element.title = text;
    this.element.classList.toggle("wrong", wrong);
  }

  said() {
    const { editor, words } = this;
    if (editor.trouble) return { text: editor.trouble, wrong: true };
    if (editor.placing.active) return { text: editor.placing.asked, wrong: false };
    const turned = ["head_yaw", "head_pitch"].map((name) =>
      Math.abs(editor.values?.total(name) ?? 0),
    );
    if (Math.max(...turned) > MOST_TURN) return { text: words("far_turn"), wrong: false };
    const note = lastOf(editor.notes); // What hinders most is said last.
    if (note) return { text: note, wrong: true };
    const told = (editor.view?.notes ?? []).find((one) => one.picture === editor.picture);
    if (told && !(told.code === "no_face" && editor.face?.landmarks)) {
      return { text: told.code ? words(told.code, told) : told.text, wrong: true };
    }
    return { text: editor.face?.landmarks ? words("hint") : "", wrong: false };
  }
}
