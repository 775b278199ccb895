import assert from "node:assert/strict";
import test from "node:test";

import { isRunning, oneAtATime } from "../../../js/common/elements.mjs";

test("what is asked again while an answer is on its way is asked once more, not twice", async () => {
  const answers = [];
  let asked = 0;
  const ask = oneAtATime(() => {
    asked += 1;
    return new Promise((done) => answers.push(done));
  });
  const first = ask();
  ask();
  ask();
  assert.equal(asked, 1);
  answers.shift()();
  await new Promise(setImmediate);
  assert.equal(asked, 2);
  answers.shift()();
  await first;
  assert.equal(asked, 2);
  ask();
  assert.equal(asked, 3);
});

test("a node that failed to answer can be asked again", async () => {
  let fails = true;
  const ask = oneAtATime(async () => {
    if (fails) throw new Error("away");
  });
  await assert.rejects(ask());
  fails = false;
  await ask();
});

test("preparing counts as running, and nothing does not", () => {
  assert.deepEqual(
    [{ state: "preparing" }, { state: "running" }, { state: "finished" }, null].map(isRunning),
    [true, true, false, false],
  );
});
