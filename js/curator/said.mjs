// What the gallery says of one picture in its cell.

import { tagName } from "../common/texts.mjs";
import { kindName } from "./findings.mjs";

const AXES = ["view", "expression", "framing"];

/** The look of a cell: its class, picture, the line under it, what is read out, and its marks. */
export function described({ hash, shot, now, findings }, gallery) {
  const { words, view, selection } = gallery;
  const tagged = AXES.filter((axis) => now.tags[axis]);
  const named = tagged.map((axis) => tagName(words, now.tags[axis], axis));
  const under = shot.original ? words("original") : named.slice(0, 2).join(", ");
  const kinds = [...new Set(findings.map(({ kind }) => kind))].map((kind) => kindName(words, kind));
  const state = now.include ? "" : words("left_out");
  const weight = now.weight === 1 ? "" : `×${now.weight}`;
  const marks = [];
  if (findings.length) marks.push(["wrong", String(findings.length)]);
  if (!now.include) marks.push(["out", ""]);
  if (now.byHand) marks.push(["hand", ""]);
  if (weight) marks.push(["times", weight]);
  return {
    kind: [now.include ? "" : "left_out", hash === selection.current ? "current" : ""]
      .filter(Boolean)
      .join(" "),
    url: gallery.imageUrl(view, shot),
    under: under || "–",
    label: [under, shot.name, state, weight, now.caption, ...kinds].filter(Boolean).join(". "),
    title: [shot.name, now.caption, ...kinds.map((kind) => `• ${kind}`)].filter(Boolean).join("\n"),
    marks,
    selected: selection.has(hash),
  };
}
