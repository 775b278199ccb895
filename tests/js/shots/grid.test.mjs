import assert from "node:assert/strict";
import test from "node:test";

import { byAxis } from "../../../js/shots/coverage.mjs";
import { merged } from "../../../js/shots/grid.mjs";
import { figure, isKept, sentences, stateOf, titleOf, varied } from "../../../js/shots/said.mjs";

const words = Object.assign((name, values) => [name, ...Object.values(values ?? {})].join(" "), {
  knows: (name) => name === "tags.front",
});
const cell = (index, more = {}) => ({
  index,
  name: `shot ${index}`,
  tags: { view: "front" },
  decision: { state: "", roll: 0, hash: "" },
  state: "accepted",
  key: `key ${index}`,
  hash: `${index}`.repeat(64),
  tries: 1,
  scores: [],
  ...more,
});
const grid = (cells, more = {}) => ({
  folder: "f",
  state: "running",
  after: 0,
  revision: 1,
  cells,
  ...more,
});

test("news change their own shots, and the others stay the very same", () => {
  const view = grid([cell(0), cell(1)]);
  const next = merged(view, grid([cell(1, { state: "failed" })], { after: 1, revision: 2 }));
  assert.equal(next.cells[0], view.cells[0]);
  assert.equal(next.cells[1].state, "failed");
  assert.equal(next.revision, 2);
});

test("news after a gap, or of another folder, ask for the whole", () => {
  const view = grid([cell(0)]);
  assert.equal(merged(view, grid([], { after: 2, revision: 3 })), null);
  assert.equal(merged(view, grid([], { after: 1, folder: "g" })), null);
  assert.equal(merged(null, grid([], { after: 1 })), null);
});

test("while shots are made again, the images before stand in for those to come", () => {
  const again = merged(grid([cell(0)]), grid([cell(0, { key: "" })]));
  assert.equal(again.cells[0].earlier, "key 0");
  const elsewhere = merged(grid([cell(0)]), grid([cell(0, { key: "" })], { folder: "g" }));
  assert.equal(elsewhere.cells[0].earlier, undefined);
});

test("a person's word on an image stands above the gates'", () => {
  const failed = cell(3, { state: "failed" });
  const pin = { state: "pin", hash: failed.hash.slice(0, 16) };
  assert.equal(stateOf(failed, pin), "pinned");
  assert.ok(isKept(failed, pin));
  assert.ok(!isKept(failed, undefined));
  assert.ok(!isKept(cell(3), { ...pin, state: "drop" }));
});

test("a shot is called by its view, or by its own name", () => {
  assert.equal(titleOf(cell(0), words), "tags.front");
  assert.equal(titleOf(cell(0, { tags: {} }), words), "shot 0");
});

test("cells tell the first two axes in which the shots differ", () => {
  const tagged = (framing, expression, pose) => cell(0, { tags: { framing, expression, pose } });
  assert.deepEqual(varied([tagged("full", "smile", "a"), tagged("full", "sad", "b")]), [
    "expression",
    "pose",
  ]);
  assert.deepEqual(varied([tagged("a", "b", "c"), tagged("b", "c", "d")]), [
    "framing",
    "expression",
  ]);
  assert.deepEqual(varied([tagged("full"), tagged("full")]), []);
});

test("figures are short: degrees for views, two digits for similarity", () => {
  assert.equal(figure({ gate: "view", value: -3.2 }), "−3°");
  assert.equal(figure({ gate: "identity", value: 0.814 }), "0.81");
  assert.equal(figure({ gate: "sharpness", value: 12 }), "");
  assert.equal(figure({ gate: "view", value: null }), "");
});

test("a sentence says what failed and why, how many attempts there were, and what comes next", () => {
  const scores = [
    { gate: "view", value: 40, passed: false, note: "yaw +40°" },
    { gate: "identity", value: 0.8, passed: true, note: "" },
  ];
  const said = sentences(
    cell(1, { scores, tries: 3, state: "failed" }),
    { state: "reroll", roll: 1 },
    words,
  );
  assert.equal(said.measured, "failed · yaw +40° · identity 0.80 · tries 3");
  assert.equal(said.next, "will_reroll");
  assert.match(sentences(cell(1), undefined, words).measured, /unmeasured/);
});

test("a plan's rows come together by axis, in their order", () => {
  const rows = ["view", "pose", "view"].map((axis, value) => ({ axis, value }));
  const found = byAxis(rows).map(([axis, those]) => [axis, those.map((row) => row.value)]);
  assert.deepEqual(found, [
    ["view", [0, 2]],
    ["pose", [1]],
  ]);
});
