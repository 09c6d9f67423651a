import js from "@eslint/js"
import globals from "globals"

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
  { files: ["tests/components/**/*.js"], languageOptions: { globals: globals.node } },
]
