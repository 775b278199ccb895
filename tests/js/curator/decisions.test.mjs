import assert from "node:assert/strict";
import test from "node:test";

import {
  captionsChanged,
  decided,
  keyOf,
  outcome,
  parsed,
  written,
} from "../../../js/curator/decisions.mjs";
import { stepped } from "../../../js/curator/fields.mjs";
import { History } from "../../../js/curator/history.mjs";

const VOCABULARY = {
  view: { front: "front view", profile_right: "right profile" },
  expression: { smile: "smiling" },
  outfit: {},
};
const shot = {
  hash: "0123456789abcdef".repeat(4),
  caption: "zqx person, front view, smiling, wearing a red coat",
  by_hand: false,
  include: true,
  weight: 1,
  tags: { view: "front", expression: "smile", outfit: "a red coat" },
};
const KEY = keyOf(shot);
const after = (...values) =>
  values.reduce((shots, one) => decided(shots, shot, one, VOCABULARY), {});
const now = (shots) => outcome(shot, shots[KEY], VOCABULARY);

test("a choice holds only what differs from the image as it came", () => {
  assert.deepEqual(after({ include: false }), { [KEY]: { include: false } });
  assert.deepEqual(after({ include: false }, { include: true }), {});
  assert.deepEqual(after({ weight: 2 }, { include: false }), {
    [KEY]: { include: false, weight: 2 },
  });
  assert.deepEqual(after({ tags: { view: "profile_right" } }, { tags: { view: "front" } }), {});
  assert.deepEqual(after({ caption: "mine" }, { caption: null }), {});
});

test("the caption follows the tags", () => {
  const turned = now(after({ tags: { view: "profile_right" } }));
  assert.equal(turned.caption, "zqx person, right profile, smiling, wearing a red coat");
  assert.equal(
    now(after({ tags: { expression: "" } })).caption,
    "zqx person, front view, wearing a red coat",
  );
  const dressed = now(after({ tags: { outfit: "a hat" } }));
  assert.equal(dressed.caption, "zqx person, front view, smiling, wearing a hat");
});

test("a caption by hand follows nothing, and marks the image", () => {
  const mine = now(after({ caption: "mine" }, { tags: { view: "profile_right" } }));
  assert.deepEqual([mine.caption, mine.own, mine.byHand], ["mine", true, true]);
  const theirs = outcome(
    { ...shot, by_hand: true },
    { tags: { view: "profile_right" } },
    VOCABULARY,
  );
  assert.equal(theirs.caption, shot.caption);
});

test("a phrase that stands twice, or not at all, is left alone", () => {
  const twice = { ...shot, caption: "front view, front view" };
  assert.equal(
    outcome(twice, { tags: { view: "profile_right" } }, VOCABULARY).caption,
    twice.caption,
  );
});

test("the widget's text is never empty, and nonsense in it decides nothing", () => {
  assert.equal(written({ shots: {}, approved: "" }), '{"shots":{}}');
  const state = { shots: after({ include: false }), approved: "set" };
  assert.deepEqual(parsed(written(state)), state);
  assert.deepEqual(parsed("{"), { shots: {}, approved: "" });
  const long = JSON.stringify({ shots: { [shot.hash]: { weight: 2 } } });
  assert.deepEqual(parsed(long).shots, { [KEY]: { weight: 2 } });
});

test("captions to write down are those that changed; null where none is left", () => {
  const mine = after({ caption: "mine" });
  assert.deepEqual(captionsChanged([shot], {}, mine), { [shot.hash]: "mine" });
  assert.deepEqual(captionsChanged([shot], mine, {}), { [shot.hash]: null });
  assert.deepEqual(captionsChanged([{ ...shot, by_hand: true }], mine, {}), {
    [shot.hash]: shot.caption,
  });
  assert.deepEqual(captionsChanged([shot], mine, { ...mine }), {});
});

test("weights step finely below one, and stay within their limits", () => {
  assert.deepEqual(
    [1, 1.5, 3, 0.9, 0.1, 100].map((weight) => stepped(weight, 1)),
    [1.5, 2, 4, 1, 0.2, 100],
  );
  assert.deepEqual(
    [1, 1.5, 3, 0.1].map((weight) => stepped(weight, -1)),
    [0.9, 1, 2, 0.1],
  );
});

test("decisions are undone and redone, until something else is decided", () => {
  const history = new History();
  history.push("a");
  history.push("b");
  assert.equal(history.undo("c"), "b");
  assert.equal(history.undo("b"), "a");
  assert.equal(history.undo("a"), undefined);
  assert.equal(history.redo("a"), "b");
  history.push("b");
  assert.equal(history.redo("d"), undefined);
});

test("a hundred decisions are remembered", () => {
  const history = new History();
  for (let at = 0; at < 150; at++) history.push(at);
  let found = 0;
  while (history.undo("now") !== undefined) found += 1;
  assert.equal(found, 100);
});
