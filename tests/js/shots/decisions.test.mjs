import assert from "node:assert/strict";
import test from "node:test";

import { actionOf, allowed } from "../../../js/shots/actions.mjs";
import { decided, parsed, pending, saidOf, written } from "../../../js/shots/decisions.mjs";

const HASH = "0123456789abcdef".repeat(4);
const cell = { name: "front", key: "k", hash: HASH, decision: { state: "", roll: 0, hash: "" } };
const after = (...actions) =>
  actions.reduce((decisions, action) => decided(decisions, cell, action), {});

test("a pin holds for the image that was seen, by sixteen digits of its hash", () => {
  const { front } = after("pin");
  assert.deepEqual(front, { state: "pin", hash: HASH.slice(0, 16) });
  assert.equal(saidOf(cell, front), "pin");
  assert.equal(saidOf({ ...cell, hash: "f".repeat(64) }, front), "");
});

test("each re-roll counts on, and a decision on its image keeps the count", () => {
  assert.deepEqual(after("reroll", "reroll").front, { state: "reroll", roll: 2 });
  assert.deepEqual(after("reroll", "drop").front, {
    state: "drop",
    roll: 1,
    hash: HASH.slice(0, 16),
  });
});

test("undo takes back the word on the image first, then roll by roll", () => {
  assert.deepEqual(after("reroll", "reroll", "pin", "undo").front, { state: "reroll", roll: 2 });
  assert.deepEqual(after("reroll", "reroll", "undo").front, { state: "reroll", roll: 1 });
  assert.deepEqual(after("reroll", "undo"), {});
  assert.deepEqual(after("pin", "undo"), {});
});

test("a decision leaves those on other shots, and what it was given, alone", () => {
  const others = { back: { state: "reroll", roll: 1 } };
  const both = decided(others, cell, "drop");
  assert.deepEqual(both.back, others.back);
  assert.deepEqual(Object.keys(others), ["back"]);
});

test("the widget is empty when nothing is decided, and nonsense in it decides nothing", () => {
  assert.equal(written({}), "");
  assert.deepEqual(parsed(written(after("pin"))), after("pin"));
  for (const text of ["", "{", "[]", "null", "7"]) assert.deepEqual(parsed(text), {});
});

test("what the next run will do is told from what the last one knew", () => {
  const made = { ...cell, decision: { state: "reroll", roll: 1, hash: "" } };
  assert.equal(pending(cell, undefined), "");
  assert.equal(pending(cell, after("reroll").front), "reroll");
  assert.equal(pending(made, undefined), "earlier");
  assert.equal(pending(made, { state: "reroll", roll: 1 }), "");
  assert.equal(pending(cell, after("drop").front), "decide");
});

test("a shot that is not there yet can only be taken back", () => {
  const waiting = { ...cell, key: "", hash: "" };
  const can = (one, entry) =>
    ["reroll", "pin", "drop", "undo"].filter((action) => allowed(action, one, entry));
  assert.deepEqual(can(waiting, { state: "reroll", roll: 1 }), ["undo"]);
  assert.deepEqual(can(cell, undefined), ["reroll", "pin", "drop"]);
  assert.deepEqual(can(cell, after("pin").front), ["reroll", "drop", "undo"]);
  assert.deepEqual(can(undefined, undefined), []);
});

test("keys mean actions, unless they are the page's with Ctrl, Meta or Alt", () => {
  assert.equal(actionOf({ key: "R" }), "reroll");
  assert.equal(actionOf({ key: "Delete" }), "drop");
  assert.equal(actionOf({ key: "Backspace" }), "undo");
  assert.equal(actionOf({ key: "z" }), undefined);
  assert.equal(actionOf({ key: "r", ctrlKey: true }), undefined);
});
