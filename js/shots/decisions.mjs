// What a person decides about single shots, as the node's widget `decisions` keeps it: JSON, by the
// shots' names. engine/shots/decisions.py reads the same.

const HASH_DIGITS = 16;

export function parsed(text) {
  try {
    const value = JSON.parse(text || "{}");
    return value && typeof value === "object" && !Array.isArray(value) ? value : {};
  } catch {
    return {}; // The node itself says what is wrong with it when it runs.
  }
}

/** The widget's text; empty when nothing is decided. */
export function written(decisions) {
  return Object.keys(decisions).length ? JSON.stringify(decisions) : "";
}

export const rollOf = (entry) => entry?.roll ?? (entry?.state === "reroll" ? 1 : 0);

/** "pin" or "drop" when that was said of the picture that `cell` shows, else "". */
export function saidOf(cell, entry) {
  if (entry?.state !== "pin" && entry?.state !== "drop") return "";
  return (cell.hash ?? "").startsWith(entry.hash ?? "") ? entry.state : "";
}

/** The decisions after `action` (pin, drop, reroll or undo) on the shot that `cell` shows. */
export function decided(decisions, cell, action) {
  const others = { ...decisions };
  delete others[cell.name];
  const entry = entryAfter(decisions[cell.name], cell, action);
  return entry ? { ...others, [cell.name]: entry } : others;
}

function entryAfter(before, cell, action) {
  const roll = rollOf(before);
  if (action === "reroll") return { state: "reroll", roll: roll + 1 };
  if (action === "pin" || action === "drop") {
    return { state: action, ...(roll && { roll }), hash: cell.hash.slice(0, HASH_DIGITS) };
  }
  // Undo: first what was said of the image, then roll by roll, each of which is still on the disk.
  const left = before?.state === "pin" || before?.state === "drop" ? roll : roll - 1;
  return left > 0 ? { state: "reroll", roll: left } : null;
}

/** What the next run will do about `cell`: "reroll", "earlier", "decide" or nothing. */
export function pending(cell, entry) {
  const made = rollOf(cell.decision);
  if (rollOf(entry) > made) return "reroll";
  if (rollOf(entry) < made) return "earlier";
  return saidOf(cell, entry) === saidOf(cell, cell.decision) ? "" : "decide";
}
