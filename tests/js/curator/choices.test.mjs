import assert from "node:assert/strict";
import test from "node:test";

import { Choices } from "../../../js/curator/choices.mjs";

const view = {
  folder: "facet/Ada",
  vocabulary: {},
  kept: { shots: { b000000000000000: { weight: 2 } } },
  shots: ["a", "b"].map((digit) => ({
    hash: digit + "0".repeat(63),
    caption: "",
    by_hand: false,
    include: true,
    weight: 1,
    tags: {},
  })),
};

function begin(text = "", keep = async () => ({})) {
  const told = { text, sent: [], changed: 0 };
  const choices = new Choices({
    curation: { get: () => told.text, set: (now) => (told.text = now) },
    keep: (sent) => {
      told.sent.push(sent);
      return keep(sent);
    },
    changed: () => (told.changed += 1),
    said: () => {},
    unreachable: "away",
  });
  choices.read(view);
  return { choices, told };
}
const leaveOut = (choices) => choices.decide(new Map([[view.shots[0].hash, { include: false }]]));

test("an empty widget means what is kept beside the dataset", () => {
  assert.deepEqual(begin().choices.shots, view.kept.shots);
  assert.deepEqual(begin('{"shots":{}}').choices.shots, {});
});

test("a decision goes into the widget at once, with what was kept, and can be undone", async () => {
  const { choices, told } = begin();
  leaveOut(choices);
  assert.deepEqual(JSON.parse(told.text).shots, {
    ...view.kept.shots,
    a000000000000000: { include: false },
  });
  leaveOut(choices); // the same again is no decision
  choices.go("undo");
  assert.deepEqual(JSON.parse(told.text).shots, view.kept.shots);
  choices.go("undo");
  choices.go("redo");
  assert.equal(JSON.parse(told.text).shots.a000000000000000.include, false);
  assert.equal(told.changed, 3);
  await choices.keep();
});

test("what is decided is kept beside the dataset once, with the captions that changed", async () => {
  const { choices, told } = begin();
  choices.decide(new Map([[view.shots[1].hash, { caption: "mine" }]]));
  leaveOut(choices);
  await choices.keep();
  await choices.keep();
  assert.equal(told.sent.length, 1);
  assert.equal(told.sent[0].folder, view.folder);
  assert.deepEqual(told.sent[0].captions, { [view.shots[1].hash]: "mine" });
  assert.equal(told.sent[0].curation, told.text);
});

test("captions that could not be kept are sent again, and the trouble is said until then", async () => {
  let away = true;
  const { choices, told } = begin("", async () => {
    if (away) throw new Error("no network");
    return {};
  });
  choices.decide(new Map([[view.shots[1].hash, { caption: "mine" }]]));
  await choices.keep();
  assert.equal(choices.trouble, "away");
  away = false;
  leaveOut(choices);
  await choices.keep();
  assert.equal(choices.trouble, "");
  assert.deepEqual(told.sent[1].captions, { [view.shots[1].hash]: "mine" });
});

test("an approval names the set that was seen, and can be withdrawn", () => {
  const { choices, told } = begin();
  choices.approve("set");
  assert.equal(JSON.parse(told.text).approved, "set");
  choices.approve("");
  assert.equal(JSON.parse(told.text).approved, undefined);
});
