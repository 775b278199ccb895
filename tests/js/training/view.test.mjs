import assert from "node:assert/strict";
import test from "node:test";

import { lossRange, ticks } from "../../../js/training/chart.mjs";
import { duration, merged, short } from "../../../js/training/view.mjs";

const view = (from, to, more = {}) => ({
  folder: "f",
  after: from - 1,
  rows: Array.from({ length: to - from + 1 }, (_, at) => [from + at, 1, 1, 1e-4]),
  ...more,
});
const steps = (one) => one?.rows.map((row) => row[0]);

test("new steps follow those that are there, and the findings stay", () => {
  const lint = { number: 61 };
  const next = merged(view(1, 3, { lint }), view(4, 5));
  assert.deepEqual(steps(next), [1, 2, 3, 4, 5]);
  assert.equal(next.lint, lint);
});

test("steps that were run again replace those after them", () => {
  assert.deepEqual(steps(merged(view(1, 9), view(4, 5))), [1, 2, 3, 4, 5]);
});

test("a gap, another run or an unknown beginning ask for the whole", () => {
  assert.equal(merged(view(1, 3), view(5, 6)), null);
  assert.equal(merged(view(1, 3), view(4, 6, { folder: "g" })), null);
  assert.equal(merged(null, view(4, 6)), null);
  assert.deepEqual(steps(merged(null, view(1, 2))), [1, 2]);
});

test("times and numbers are short", () => {
  assert.deepEqual([0, 40, 89, 90, 3599, 3900].map(duration), [
    "1 s",
    "40 s",
    "89 s",
    "2 min",
    "1 h 00 min",
    "1 h 05 min",
  ]);
  assert.deepEqual([null, 0, 0.04212, 8e-5, 12.34, -0.5].map(short), [
    "–",
    "0",
    "0.0421",
    "8e-5",
    "12.3",
    "-0.500",
  ]);
});

test("ticks are round, within the range, and few", () => {
  assert.deepEqual(ticks(0, 100, 4), [0, 25, 50, 75, 100]);
  assert.deepEqual(ticks(0.013, 0.052), [0.02, 0.04]);
  assert.deepEqual(ticks(5, 5), []);
  for (let high = 0.1; high < 1e6; high *= 1.7) {
    const found = ticks(0, high);
    assert.ok(found.length >= 2 && found.length <= 5, String(high));
    assert.ok(found.every((tick) => tick >= 0 && tick <= high * (1 + 1e-9)));
  }
});

test("one loss out of a hundred does not flatten the curve, and what is held out is in sight", () => {
  const rows = Array.from({ length: 100 }, (_, at) => [at + 1, at === 50 ? 1000 : 0.5, 0.5, null]);
  const [low, high] = lossRange(rows, [[10, 0.9]]);
  assert.ok(low >= 0 && low < 0.5);
  assert.ok(high > 0.9 && high < 2);
});
