// ESLint over the panels and their tests. Its packages lie in .facet/node, beside ESLint itself.

import { createRequire } from "node:module";

const require = createRequire(process.argv[1]);
const js = require("@eslint/js");
const globals = require("globals");

export default [
  js.configs.recommended,
  {
    rules: {
      "no-restricted-syntax": ["error", "WithStatement"],
      eqeqeq: ["error", "smart"],
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      "object-shorthand": "error",
      "prefer-template": "error",
      "no-shadow": "error",
      curly: ["error", "multi-line"],
      complexity: ["error", 16],
      "max-params": ["error", 5],
    },
  },
  { files: ["js/**"], languageOptions: { globals: globals.browser } },
  { files: ["tests/js/**"], languageOptions: { globals: globals.node } },
];
