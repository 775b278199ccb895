import assert from "node:assert/strict";
import test from "node:test";

import { Values, parsedEdits, writtenEdits } from "../../../js/expression/values.mjs";
import { presets, rig } from "./table.mjs";

const POINTS = Array.from({ length: 12 }, (_, at) => [0.1 + at / 20, 0.5]);

function valuesOf({ face_edits = "", ...more } = {}) {
  const all = { preset: "none", strength: 1, denoise: 0.5, ...more, face_edits };
  const widgets = new Map(Object.entries(all).map(([name, value]) => [name, { name, value }]));
  return new Values(widgets, rig, "none", () => {});
}

const edited = (sliders, points = []) => writtenEdits({ sliders, points });
const kept = (values) => values.widgets.get("face_edits").value;

test("edits are read as they were written, in one order, and none is no text", () => {
  const edits = { sliders: { smile_l: 0.5, head_yaw: -38 }, points: POINTS };
  assert.deepEqual(parsedEdits(writtenEdits(edits)), edits);
  assert.equal(edited({ b: 1, a: 2 }), '{"sliders":{"a":2,"b":1}}');
  assert.equal(edited({ a: 2, b: 1 }), edited({ b: 1, a: 2 }));
  assert.equal(edited({}), "");
  assert.deepEqual(parsedEdits(""), { sliders: {}, points: [] });
  assert.deepEqual(parsedEdits(undefined), { sliders: {}, points: [] });
  assert.deepEqual(parsedEdits(edited({}, POINTS)), { sliders: {}, points: POINTS });
});

test("typed nonsense and points of before are no edits, and what is right among it is kept", () => {
  const none = { sliders: {}, points: [] };
  const texts = ["{", "null", "3", '"smile"', "[]", JSON.stringify(POINTS), "[[0.1]]"];
  for (const text of texts) assert.deepEqual(parsedEdits(text), none, text);
  const wrong = [null, 5, "abc", true, ["x"], { smile_l: "0.5" }, { smile_l: null }];
  for (const sliders of wrong) {
    assert.deepEqual(parsedEdits(JSON.stringify({ sliders, points: "here" })), none);
  }
  const some = JSON.stringify({ sliders: { smile_l: 0.5, smile_r: "much" }, points: { a: 1 } });
  assert.deepEqual(parsedEdits(some), { sliders: { smile_l: 0.5 }, points: [] });
  // A number that JSON holds and no slider can have.
  assert.deepEqual(parsedEdits('{"sliders": {"smile_l": 1e999}}'), none);
  const values = valuesOf({ face_edits: '{"sliders": {"jaw_open": [1]' });
  assert.equal(values.total("jaw_open"), 0);
  values.set("jaw_open", 0.25);
  assert.equal(kept(values), edited({ jaw_open: 0.25 }));
});

test("all sliders and points are kept in one widget, and each is set beside the others", () => {
  const told = [];
  const values = valuesOf();
  values.widgets.get("face_edits").callback = (text) => told.push(text);
  values.set("smile_l", 0.5);
  values.set("points", JSON.stringify(POINTS));
  values.set("brow_inner_r", -0.25);
  assert.deepEqual(parsedEdits(kept(values)), {
    sliders: { brow_inner_r: -0.25, smile_l: 0.5 },
    points: POINTS,
  });
  assert.deepEqual([values.get("smile_l"), values.get("smile_r")], [0.5, 0]);
  assert.equal(values.get("points"), JSON.stringify(POINTS));
  assert.deepEqual([...values.widgets.keys()], ["preset", "strength", "denoise", "face_edits"]);
  // At rest a slider is not written, and what is as it was is not told again.
  values.set("smile_l", 0);
  values.set("smile_l", 0);
  values.set("points", "");
  assert.equal(told.length, 5);
  assert.equal(told.at(-1), edited({ brow_inner_r: -0.25 }));
  values.rest();
  assert.deepEqual([kept(values), values.get("points")], ["", ""]);
});

test("other widgets are set as they are, and one that is not there is left alone", () => {
  const values = valuesOf();
  values.set("denoise", 0.75);
  values.set("nothing", 1);
  assert.deepEqual([values.get("denoise"), values.get("nothing")], [0.75, undefined]);
  assert.equal(kept(values), "");
  const without = new Values(new Map(), rig, "none", () => {});
  without.set("smile_l", 0.5);
  assert.equal(without.get("smile_l"), 0);
});

test("a slider shows the preset by its strength and what was added to it", () => {
  const face_edits = edited({ jaw_open: 0.1 });
  const values = valuesOf({ preset: "surprised", strength: 0.5, face_edits });
  const jaw = presets.surprised.jaw_open;
  assert.ok(Math.abs(values.total("jaw_open") - (0.5 * jaw + 0.1)) < 1e-9);
  values.setTotal("jaw_open", 0.9);
  assert.ok(Math.abs(values.get("jaw_open") - (0.9 - 0.5 * jaw)) < 0.006);
  assert.deepEqual(Object.keys(values.offsets()), ["jaw_open"]);
  values.copied = { smile_l: 0.3 };
  assert.ok(values.total("smile_l") >= 0.3 - 1e-9);
});

test("a preset replaces what there is, or is added to it", () => {
  const values = valuesOf({ face_edits: edited({ smile_l: 0.2 }, POINTS) });
  values.take("surprised", false);
  assert.deepEqual([values.get("preset"), values.get("smile_l")], ["surprised", 0]);
  assert.equal(values.get("points"), JSON.stringify(POINTS));
  values.take("wink", true);
  assert.equal(values.get("preset"), "surprised");
  for (const [name, amount] of Object.entries(presets.wink)) {
    const wanted = rig.clamped(name, (presets.surprised[name] ?? 0) + amount);
    assert.ok(Math.abs(values.total(name) - wanted) < 0.006, name);
  }
});
