import accessibility from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import globals from "globals";
import typescript from "typescript-eslint";

export default defineConfig(
  { ignores: ["dist", "node_modules"] },
  typescript.configs.strictTypeChecked,
  typescript.configs.stylisticTypeChecked,
  accessibility.flatConfigs.strict,
  hooks.configs.flat.recommended,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // React calls handlers and forgets what they return.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // Reads an element whose index was checked, in hot loops and after a look at the length.
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  { files: ["*.js"], extends: [typescript.configs.disableTypeChecked] },
);
