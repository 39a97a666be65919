import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

/** What may not be imported from where: the arrows gpu <- kernels <- graph <- layers <- train <- cli. */
const forbid = (files, folders) => ({
  files: files.map((folder) => `src/${folder}/**/*.ts`),
  rules: {
    "no-restricted-imports": [
      "error",
      { patterns: [{ group: folders, message: "Arrows point one way; see ARCHITECTURE.md." }] },
    ],
  },
});
const node = ["node:*", "fs", "path", "os", "worker_threads", "sharp", "h5wasm", "webgpu"];
const above = (...folders) => folders.map((folder) => `**/${folder}/**`);

export default tseslint.config(
  { ignores: ["node_modules/", ".cache/", ".gpu/", "runs/", "data/", "weights/"] },
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  {
    files: ["**/*.mjs", "**/*.js"],
    languageOptions: {
      globals: { process: "readonly", console: "readonly", URL: "readonly", Buffer: "readonly" },
    },
  },
  forbid(["gpu"], [...node, ...above("kernels", "graph", "layers", "data", "weights", "train", "cli")]),
  forbid(["kernels"], [...node, ...above("graph", "layers", "data", "weights", "train", "cli")]),
  forbid(["graph"], [...node, ...above("layers", "data", "weights", "train", "cli")]),
  forbid(["layers"], [...node, ...above("data", "weights", "train", "cli")]),
  forbid(["data"], above("gpu", "kernels", "graph", "layers", "train", "cli")),
  forbid(["weights"], above("gpu", "kernels", "graph", "layers", "data", "train", "cli")),
  forbid(["train"], above("cli")),
);
