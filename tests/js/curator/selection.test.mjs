import assert from "node:assert/strict";
import test from "node:test";

import { arranged, inSight } from "../../../js/curator/list.mjs";
import { Selection, landing } from "../../../js/curator/selection.mjs";

const ORDER = [..."abcdef"];
function picked(...picks) {
  const selection = new Selection();
  for (const [hash, how] of picks) selection.pick(ORDER, hash, how);
  return selection;
}
const more = { more: true };
const range = { range: true };

test("a click selects one image, with Ctrl one more or one less, with Shift all between", () => {
  assert.deepEqual([...picked(["b"], ["d"]).chosen], ["d"]);
  assert.deepEqual([...picked(["b"], ["d", more]).chosen], ["b", "d"]);
  assert.deepEqual([...picked(["b"], ["d", more], ["b", more]).chosen], ["d"]);
  assert.deepEqual([...picked(["e"], ["c", range]).chosen], ["c", "d", "e"]);
  assert.deepEqual([...picked(["b"], ["e", range], ["a", range]).chosen], ["a", "b"]);
  assert.deepEqual(
    [...picked(["a"], ["c", more], ["e", { more: true, range: true }]).chosen],
    [..."acde"],
  );
});

test("what is gone is selected no more", () => {
  const selection = picked(["b"], ["d", more]);
  selection.only(["a", "b"]);
  assert.deepEqual(
    [[...selection.chosen], selection.current, selection.anchor],
    [["b"], null, null],
  );
});

test("keys go on from the last image, also when a filter hides it by now", () => {
  assert.equal(landing(ORDER, ORDER, "b", 1), 2);
  assert.equal(landing(ORDER, ORDER, "f", 1), 5);
  assert.equal(landing(ORDER, ORDER, "a", -4), 0);
  const shown = [..."abdf"];
  assert.equal(shown[landing(ORDER, shown, "c", 1)], "d");
  assert.equal(shown[landing(ORDER, shown, "c", -1)], "b");
  assert.equal(shown[landing(ORDER, shown, "e", 1)], "f");
});

test("as many columns as fit share the width", () => {
  const { columns, side, rows } = arranged(200, 640, 1);
  assert.equal(rows, Math.ceil(200 / columns));
  assert.ok(side >= 96 && columns * side <= 640);
  assert.equal(arranged(3, 20, 1).columns, 1);
});

test("only the rows in sight, and one beyond, are drawn", () => {
  const place = arranged(200, 640, 1);
  const [first, last] = inSight(place, 200, 0, 400);
  assert.equal(first, 0);
  assert.ok(last < 40);
  const whole = arranged(200, 640, 1).rows * place.row;
  assert.equal(inSight(place, 200, whole - 400, 400)[1], 200);
  const [from, to] = inSight(place, 200, whole / 2, 400);
  assert.ok(from * 1 < 100 && to > 100 && to - from < 50);
});
