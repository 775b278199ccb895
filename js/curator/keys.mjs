// What the keys do in the gallery.

import { stepped } from "./fields.mjs";

const TYPED_IN = new Set(["INPUT", "TEXTAREA", "SELECT"]);

/** Whether keys are typed into `target`. */
export const isField = (target) => TYPED_IN.has(target.tagName);

/** Does what a key means; keys that are typed into a field stay its own. */
export function press(event, gallery) {
  event.stopPropagation(); // The page has keys of its own: Delete removes the node.
  if (event.key === "Escape" && event.target === gallery.filters.search) {
    gallery.list.element.focus();
  }
  const control = event.ctrlKey || event.metaKey;
  const chosen = control && event.target.tagName === "SELECT"; // It has no undo of its own.
  if ((isField(event.target) && !chosen) || event.key === "Tab" || event.altKey) return;
  const done = control ? withControl(event, gallery) : plain(event, gallery);
  if (done) event.preventDefault();
}

function withControl(event, gallery) {
  const key = event.key.toLowerCase();
  if (key === "z") gallery.choices.go(event.shiftKey ? "redo" : "undo");
  else if (key === "y") gallery.choices.go("redo");
  else if (key === "a") gallery.select(gallery.shown.map((one) => one.hash));
  else return false;
  return true;
}

function plain(event, gallery) {
  const { list, selection } = gallery;
  const steps = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -list.columns,
    ArrowDown: list.columns,
    PageUp: -list.columns * list.page,
    PageDown: list.columns * list.page,
    Home: -gallery.shown.length,
    End: gallery.shown.length,
  };
  const onButton = event.target.tagName === "BUTTON";
  if (event.key in steps) gallery.move(steps[event.key], event.shiftKey);
  else if (event.key === "Escape") gallery.select([]);
  else if ((event.key === "Enter" || event.key === " ") && !onButton) gallery.enlarge();
  else if (event.key === "/") gallery.filters.search.focus();
  else if (!selection.chosen.size) return false;
  else return decide(event.key, gallery);
  return true;
}

function decide(key, gallery) {
  const by = { "+": 1, "=": 1, "-": -1 }[key];
  if (by) {
    const values = gallery.chosen.map(({ hash, now }) => [
      hash,
      { weight: stepped(now.weight, by) },
    ]);
    gallery.choices.decide(new Map(values));
  } else if (key === "x" || key === "Delete" || key === "Backspace") gallery.toggle(false);
  else if (key === "i") gallery.toggle(true);
  else if (key === "e" && gallery.chosen.length === 1) gallery.inspector.editCaption();
  else return false;
  return true;
}
