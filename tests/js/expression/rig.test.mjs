import assert from "node:assert/strict";
import test from "node:test";

import { facePaths } from "../../../js/expression/glyph.mjs";
import { handles, partsOf } from "../../../js/expression/handles.mjs";
import { baseOf, frameOf, pulled, sideOf } from "../../../js/expression/rig.mjs";
import { presets, rig, table } from "./table.mjs";

const WIDTH = 400;
const LANDMARKS = 478;

/** A face whose halves mirror each other about the middle of an image, and each landmark's twin. */
function face() {
  const landmarks = Array.from({ length: LANDMARKS }, () => [WIDTH / 2, 200]);
  const twins = new Map();
  for (const { points, mirrored } of table.template) {
    points.forEach((right, at) => {
      const left = mirrored[at];
      const x = right === left ? WIDTH / 2 : 80 + ((right * 37) % 110);
      const y = 100 + ((right * 53) % 220);
      landmarks[right] = [x, y];
      landmarks[left] = [WIDTH - x, y];
      twins.set(right, left).set(left, right);
    });
  }
  landmarks[33] = [120, 180];
  landmarks[263] = [WIDTH - 120, 180];
  return { face: { landmarks, yaw: 0, key: "k" }, twins };
}

test("what a slider does on one side, its twin does mirrored on the other", () => {
  const { face: plain, twins } = face();
  const sided = [...rig.sliders.keys()].filter((name) => sideOf(name) === "r");
  assert.ok(sided.length > 10);
  for (const name of sided) {
    const right = rig.moved(plain, { [name]: 0.6 });
    const left = rig.moved(plain, { [rig.twin(name)]: 0.6 });
    for (const [one, other] of twins) {
      assert.ok(Math.abs(right[one][0] - (WIDTH - left[other][0])) < 1e-6, `${name} ${one}`);
      assert.ok(Math.abs(right[one][1] - left[other][1]) < 1e-6, `${name} ${one}`);
    }
  }
});

test("lids that blink meet between the two, and half way they are half apart", () => {
  const { face: plain } = face();
  const { upper_lid_r: upper, lower_lid_r: lower } = table.groups;
  for (const [blink, apart] of [
    [0.5, 0.5],
    [1, 0],
  ]) {
    const to = rig.moved(plain, { blink_r: blink });
    upper.points.forEach((point, at) => {
      const other = lower.points[at];
      for (const axis of [0, 1]) {
        const before = plain.landmarks[other][axis] - plain.landmarks[point][axis];
        const after = to[other][axis] - to[point][axis];
        assert.ok(Math.abs(after - apart * before) < 1e-9, `${point}`);
      }
    });
  }
});

test("sliders know their side, their base, their twin and their limits", () => {
  assert.deepEqual(["smile_r", "smile_l", "jaw_open"].map(sideOf), ["r", "l", ""]);
  assert.equal(baseOf("brow_inner_l"), "brow_inner");
  assert.equal(rig.twin("smile_r"), "smile_l");
  assert.ok(!rig.twin("jaw_open"));
  assert.equal(rig.clamped("smile_l", 7), rig.sliders.get("smile_l").high);
});

test("at rest nothing moves, and the face that was given stays as it is", () => {
  const { face: plain } = face();
  const before = structuredClone(plain.landmarks);
  assert.deepEqual(rig.moved(plain, {}), before);
  rig.moved(plain, { jaw_open: 1, blink_l: 1 });
  assert.deepEqual(plain.landmarks, before);
});

test("a face's frame measures in outer-eye distances, also when the head leans", () => {
  const leaning = { 33: [100, 100], 263: [100, 300] };
  const frame = frameOf(Object.assign([], leaning));
  const [u, v] = frame.inside([0, 200]);
  assert.ok(Math.abs(u - 1) < 1e-9 && Math.abs(v) < 1e-9);
  const back = frame.outside([0.3, -0.2]);
  frame.inside(back).forEach((one, at) => assert.ok(Math.abs(one - [0.3, -0.2][at]) < 1e-9));
});

test("a pull sets the sliders that bring the point there, within their limits", () => {
  const part = (name, vector, more = {}) => ({
    name,
    vector,
    low: -1,
    high: 1,
    start: 0,
    ...more,
  });
  const both = pulled([part("x", [0.1, 0]), part("y", [0, 0.2])], [0.05, -0.1]);
  assert.ok(Math.abs(both.get("x") - 0.5) < 0.02 && Math.abs(both.get("y") + 0.5) < 0.02);
  assert.equal(pulled([part("x", [0.1, 0])], [9, 0]).get("x"), 1);
  assert.equal(pulled([part("x", [0.1, 0], { low: 0 })], [-9, 0]).get("x"), 0);
  assert.equal(pulled([part("still", [0, 0])], [1, 1]).size, 0);
});

test("every handle has a landmark and sliders that move it", () => {
  const { face: plain } = face();
  const all = handles(rig);
  assert.ok(all.length > 20);
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  for (const handle of all) {
    const parts = partsOf(handle, rig, plain, {});
    assert.equal(parts.length, handle.sliders.length);
    assert.ok(
      parts.every(({ low, high, start }) => low <= start && start <= high),
      handle.name,
    );
  }
});

test("a handle does not pull a slider past the way that another one goes", () => {
  const { face: plain } = face();
  const corner = handles(rig).find(({ name }) => name === "mouth_corner_l");
  for (const { low } of partsOf(corner, rig, plain, {}).slice(0, 2)) assert.equal(low, 0);
  const head = handles(rig).find(({ name }) => name === "head");
  for (const { low, high } of partsOf(head, rig, plain, {})) assert.deepEqual([low, high], [-8, 8]);
});

test("a preset's small face is mirrored when its sliders are, and opens mouth and eyes", () => {
  const kinds = (sliders) => facePaths(sliders).map(({ kind = "" }) => kind);
  assert.deepEqual(kinds({}), ["", "full", "", "full", ""]);
  assert.deepEqual(kinds({ blink_r: 1 }), ["", "", "", "full", ""]);
  assert.deepEqual(kinds({ blink_l: 1, jaw_open: 1 }), ["", "full", "", "", "full"]);
  for (const sliders of Object.values(presets)) {
    for (const { d } of facePaths(sliders)) assert.doesNotMatch(d, /NaN|undefined/);
  }
});
