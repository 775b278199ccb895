// What can be decided about a shot: four buttons, and the same by key.

import { button, element } from "../common/elements.mjs";
import { saidOf } from "./decisions.mjs";

const KEYS = { r: "reroll", p: "pin", d: "drop", delete: "drop", u: "undo", backspace: "undo" };

/** The action that a key means, or undefined. */
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  return KEYS[event.key.toLowerCase()];
}

/** Whether `action` can be done: a shot that is not made yet can only be taken back. */
export function allowed(action, cell, entry) {
  if (!cell) return false;
  if (action === "undo") return Boolean(entry);
  if (action === "reroll") return Boolean(cell.key);
  return Boolean(cell.hash) && saidOf(cell, entry) !== action;
}

export class Actions {
  constructor(parent, words, act) {
    this.element = element("div", "facet-actions", parent);
    this.buttons = {};
    for (const action of ["reroll", "pin", "drop", "undo"]) {
      const made = button(this.element, words(action), () => act(action));
      made.title = words(`about_${action}`);
      made.dataset.action = action;
      this.buttons[action] = made;
    }
  }

  draw(cell, entry) {
    for (const [action, made] of Object.entries(this.buttons)) {
      made.disabled = !allowed(action, cell, entry);
      if (action === "pin" || action === "drop") {
        made.setAttribute("aria-pressed", String(Boolean(cell) && saidOf(cell, entry) === action));
      }
    }
  }
}
