// What is said of a shot: its view, its state, what was measured.

import { tagName } from "../common/texts.mjs";
import { pending, rollOf, saidOf } from "./decisions.mjs";

const STATES = { pin: "pinned", drop: "dropped" };

/** The state that a person sees: what was decided on the picture, or else what the gates found. */
export function stateOf(cell, entry) {
  return STATES[saidOf(cell, entry)] ?? cell.state;
}

/** Whether the picture joins the dataset, as things stand in the page. */
export function isKept(cell, entry) {
  const state = stateOf(cell, entry);
  return state === "accepted" || state === "pinned";
}

/** The view, or the shot's own name where it asks for none. */
export function titleOf(cell, words) {
  return cell.tags.view ? tagName(words, cell.tags.view) : cell.name;
}

/** The tags of `axes`, shortly, such as "close-up · smile". */
export function detailOf(cell, axes, words) {
  return axes
    .filter((axis) => cell.tags[axis])
    .map((axis) => tagName(words, cell.tags[axis], axis))
    .join(" · ");
}

/** The axes besides the view in which `cells` differ. */
export function varied(cells) {
  const differ = (axis) => new Set(cells.map((cell) => cell.tags[axis]).filter(Boolean)).size > 1;
  return ["framing", "expression", "pose"].filter(differ).slice(0, 2);
}

/** A score in few letters: "−3°", "0.81"; "" when nothing was measured, or the figure says little. */
export function figure(score) {
  if (score.value == null || (score.gate !== "view" && score.gate !== "identity")) return "";
  if (score.gate === "view") return `${Math.round(score.value)}°`.replace("-", "−");
  return score.value.toFixed(2).replace("-", "−");
}

/** Every measurement in words, and why it failed where it did. */
export function measuredOf(cell, words) {
  const found = [];
  for (const score of cell.scores) {
    if (score.passed === false) {
      found.push(score.note || `${tagName(words, score.gate)} ${figure(score)}`);
    } else if (score.passed) found.push(`${tagName(words, score.gate)} ${figure(score)}`.trim());
  }
  return found.length || !cell.key ? found : [words("unmeasured")];
}

/** What stands under the grid and under the large picture about a shot. */
export function sentences(cell, entry, words) {
  const parts = [words(stateOf(cell, entry)), ...measuredOf(cell, words)];
  if (cell.tries > 1) parts.push(words("tries", { tries: cell.tries }));
  const roll = rollOf(cell.decision);
  if (roll) parts.push(words("roll", { roll }));
  const next = pending(cell, entry);
  return { measured: parts.join(" · "), next: next && words(`will_${next}`) };
}
