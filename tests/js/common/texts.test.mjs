import assert from "node:assert/strict";
import test from "node:test";

import { tagName, texts } from "../../../js/common/texts.mjs";

const MESSAGES = {
  en: {
    facet: {
      tags: { smile: "smile", lighting_low: "low" },
      shots: { step: "step {step} of {steps}", deep: { er: "deeper" } },
    },
  },
  zh: { facet: { tags: { smile: "微笑" }, shots: { step: "第 {step} / {steps} 步" } } },
  de: { nodeCategories: {} },
};

test("a text is said in the page's language, with its values", () => {
  assert.equal(texts(MESSAGES, "zh", "shots")("step", { step: 2, steps: 9 }), "第 2 / 9 步");
  assert.equal(texts(MESSAGES, "zh-TW", "shots")("step", { step: 2, steps: 9 }), "第 2 / 9 步");
});

test("what a language lacks, and a language that is not there, are English", () => {
  assert.equal(texts(MESSAGES, "zh", "shots")("deep.er"), "deeper");
  for (const locale of ["de", "fr", "en", undefined]) {
    assert.equal(texts(MESSAGES, locale, "shots")("step", { step: 1 }), "step 1 of ");
  }
});

test("without any translations a text is its name", () => {
  assert.equal(texts({}, "en", "shots")("step"), "step");
});

test("a tag is named by its axis first, then by itself, its label, or as it stands", () => {
  const words = texts(MESSAGES, "en", "shots");
  assert.equal(tagName(words, "low", "lighting"), "low");
  assert.equal(tagName(words, "smile", "expression"), "smile");
  assert.equal(tagName(words, "arms_up", "pose", "both arms up"), "both arms up");
  assert.equal(tagName(words, "arms_up", "pose"), "arms up");
});
