// What the trainer's panel knows of a training, and how it says numbers.

import { lastOf } from "../common/elements.mjs";

/** @typedef {import("../types").TrainingView} TrainingView */

/**
 * The view after a message that holds the steps since `message.after`; null if one is missing.
 *
 * @param {TrainingView | null} view
 * @param {TrainingView} message
 * @returns {TrainingView | null}
 */
export function merged(view, message) {
  if (!message.after) return message;
  const rows = (view?.rows ?? []).filter((row) => row[0] <= message.after);
  if (view?.folder !== message.folder || lastOf(rows)?.[0] !== message.after) return null;
  return { ...message, after: 0, rows: rows.concat(message.rows), lint: view.lint };
}

/** Seconds as people say them: "40 s", "12 min", "1 h 05 min". */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** A number in few digits: "0.0421", "8e-5". */
export function short(value) {
  if (value == null) return "–";
  if (value === 0) return "0";
  if (Math.abs(value) < 1e-3) return value.toExponential(1).replace(".0e", "e");
  return value.toPrecision(3);
}
