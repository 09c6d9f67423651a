import js from "@eslint/js"
import globals from "globals"

import markedTexts from "./tests/components/marked_texts.js"

export default [
  { ignores: ["**/vendor/", ".venv/"] },
  js.configs.recommended,
  {
    files: ["playground/ui/components/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["playground/ui/components/**/*.js"],
    ignores: ["playground/ui/components/shared/text.js"], // the markers themselves
    plugins: { playground: { rules: { "marked-texts": markedTexts } } },
    rules: { "playground/marked-texts": "error" },
  },
  { files: ["tests/components/**/*.js"], languageOptions: { globals: globals.node } },
  { files: ["tests/browser/**/*.js", "tests/support/**/*.js"], languageOptions: { globals: globals.browser } },
]
