import assert from "node:assert/strict";
import test from "node:test";

import { passes } from "../../../js/curator/filters.mjs";
import { byKind, fixes, kindName } from "../../../js/curator/findings.mjs";
import { described } from "../../../js/curator/said.mjs";

const now = {
  include: true,
  byHand: false,
  weight: 1,
  caption: "zqx person, Left Profile, smiling",
  tags: { view: "profile_left", expression: "smile", framing: "", background: "place 17" },
};
const shows = (wanted, one = now, findings = []) =>
  passes({ text: "", show: "all", ...wanted }, one, findings);

test("an image passes by every word of its caption and tags, in any case and order", () => {
  for (const text of ["", "  ", "SMILING zqx", "place 17", "left profile"]) {
    assert.ok(shows({ text }), text);
  }
  assert.ok(!shows({ text: "smiling nobody" }));
});

test("an image is found by the name of its file", () => {
  const named = (text) => passes({ text, show: "all" }, now, [], "day 1/IMG_0042.jpg");
  assert.ok(named("img_0042") && named("0042 smiling") && !named("img_0043"));
});

test("axes filter by value, or by being unknown", () => {
  assert.ok(shows({ view: "profile_left", expression: "smile" }));
  assert.ok(!shows({ view: "profile_left", expression: "sad" }));
  assert.ok(shows({ framing: "?" }));
  assert.ok(!shows({ view: "?" }));
});

test("a status filters by what holds now", () => {
  const out = { ...now, include: false };
  assert.deepEqual([shows({ show: "included" }), shows({ show: "included" }, out)], [true, false]);
  assert.deepEqual([shows({ show: "left_out" }), shows({ show: "left_out" }, out)], [false, true]);
  assert.ok(!shows({ show: "by_hand" }) && shows({ show: "by_hand" }, { ...now, byHand: true }));
  const findings = [{ kind: "blurred" }];
  assert.ok(!shows({ show: "with_findings" }) && shows({ show: "with_findings" }, now, findings));
  assert.ok(
    shows({ kind: "blurred" }, now, findings) && !shows({ kind: "no_face" }, now, findings),
  );
});

const finding = (kind, hash, fix = null) => ({ kind, shots: [hash], fix });

test("findings come together by kind, in their order", () => {
  const found = byKind([finding("b", "1"), finding("a", "2"), finding("b", "3")]);
  assert.deepEqual(
    [...found].map(([kind, those]) => [kind, those.length]),
    [
      ["b", 2],
      ["a", 1],
    ],
  );
});

test("fixes are decisions by image, the first for each, and only among those that are selected", () => {
  const all = [
    finding("a", "1", { shot: "1", action: "exclude", value: null }),
    finding("a", "1", { shot: "1", action: "weight", value: 2 }),
    finding("b", "2", { shot: "2", action: "caption", value: "better" }),
    finding("c", "3"),
  ];
  assert.deepEqual(Object.fromEntries(fixes(all)), {
    1: { include: false },
    2: { caption: "better" },
  });
  assert.deepEqual([...fixes(all, new Set(["2"])).keys()], ["2"]);
});

const words = Object.assign((name) => `<${name}>`, {
  knows: (name) => name !== "kinds.new_kind" && !/_/.test(name),
});

test("a kind without a text of its own is called by its id", () => {
  assert.equal(kindName(words, "blurred"), "<kinds.blurred>");
  assert.equal(kindName(words, "new_kind"), "new_kind");
});

test("a cell is told in words what its marks show", () => {
  const gallery = {
    words,
    view: {},
    selection: { current: "1", has: () => true },
    imageUrl: () => "url",
  };
  const out = { ...now, include: false, byHand: true, weight: 2 };
  const item = {
    hash: "1",
    shot: { original: false },
    now: out,
    findings: [finding("blurred", "1")],
  };
  const cell = described(item, gallery);
  assert.equal(cell.kind, "left_out current");
  assert.deepEqual(
    cell.marks.map(([name]) => name),
    ["wrong", "out", "hand", "times"],
  );
  for (const said of ["<left_out>", "×2", now.caption, "<kinds.blurred>"]) {
    assert.ok(cell.label.includes(said));
  }
  assert.equal(described({ ...item, shot: { original: true } }, gallery).under, "<original>");
});
