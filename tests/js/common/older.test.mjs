import assert from "node:assert/strict";
import { test } from "node:test";

import { changedNodes } from "../../../js/common/older.mjs";

const KNOWN = { FacetShotGenerator: ["character", "plan", "studio"], FacetLoraGridSheet: ["rows"] };
const inputsOf = (type) => (KNOWN[type] ? new Set(KNOWN[type]) : null);
const node = (type, ...names) => ({ type, inputs: names.map((name) => ({ name })) });

test("a graph of today has none", () => {
  const nodes = [
    node("FacetShotGenerator", "character", "studio"),
    node("FacetLoraGridSheet", "rows.row0"),
    node("KSampler", "model"),
  ];
  assert.deepEqual(changedNodes({ nodes }, inputsOf), []);
  assert.deepEqual(changedNodes({}, inputsOf), []);
  assert.deepEqual(changedNodes(null, inputsOf), []);
});

test("a node with an input that is gone, and one of a class that is gone, are named once", () => {
  const nodes = [
    node("FacetShotGenerator", "character", "model"),
    node("FacetShotGenerator", "clip"),
    { ...node("FacetShotGenerator", "vae"), title: "My shots" },
  ];
  const definitions = { subgraphs: [{ nodes: [node("FacetShotOptions")] }] };
  assert.deepEqual(changedNodes({ nodes, definitions }, inputsOf), [
    "Facet Shot Generator",
    "Facet Shot Options",
    "My shots",
  ]);
});
