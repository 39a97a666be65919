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
const engine = ["gpu", "kernels", "graph", "layers"];
const beside = ["data", "weights", "fetch"];
const atop = ["adapter", "config", "runs", "train", "inspect", "use", "bulk", "queue", "ui", "cli"];
const above = (...folders) => folders.map((folder) => `**/${folder}/**`);
/** The engine but for the networks as data. */
const engineButNetworks = [
  ...above("gpu", "kernels", "graph"),
  "**/layers/*.ts",
  "**/networks/{build,dropout-source,parts}.ts",
];

export default tseslint.config(
  { ignores: ["node_modules/", ".cache/", ".gpu/", "dist/", "runs/", "data/", "weights/"] },
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
      globals: Object.fromEntries(
        [
          "process",
          "console",
          "performance",
          "URL",
          "Buffer",
          "AbortController",
          "setInterval",
          "clearInterval",
        ].map((name) => [name, "readonly"]),
      ),
    },
  },
  {
    // They wait at their top level: what is defined below is not there yet.
    files: ["src/cli/**/*.ts"],
    rules: { "no-use-before-define": ["error", { functions: false, classes: true, variables: true }] },
  },
  forbid(["files"], above(...engine, "masks", ...beside, ...atop)),
  forbid(["mpi"], above(...engine, "masks", "files", ...beside, ...atop)),
  forbid(["masks"], [...node, ...above(...engine, "weights", "fetch", ...atop)]),
  forbid(["gpu"], [...node, ...above("kernels", "graph", "layers", ...beside, ...atop)]),
  // What a subgroup can multiply is said without a device.
  forbid(
    ["kernels"],
    [...node, ...above("gpu", "graph", "layers", ...beside, ...atop), "!**/gpu/subgroup-matrix.ts"],
  ),
  forbid(["graph"], [...node, ...above("layers", ...beside, ...atop)]),
  forbid(["layers"], [...node, ...above(...beside, ...atop)]),
  forbid(["data"], above(...engine, "weights", "fetch", ...atop)),
  forbid(["weights"], [...engineButNetworks, ...above("data", "fetch", ...atop)]),
  forbid(["fetch"], [...engineButNetworks, ...above("data", "weights", ...atop)]),
  forbid(
    ["adapter"],
    above(...beside, "config", "runs", "train", "inspect", "use", "bulk", "queue", "ui", "cli"),
  ),
  forbid(
    ["config"],
    [
      ...engineButNetworks,
      ...above(
        "weights",
        "fetch",
        "adapter",
        "runs",
        "train",
        "inspect",
        "use",
        "bulk",
        "queue",
        "ui",
        "cli",
      ),
    ],
  ),
  forbid(["runs"], above("fetch", "adapter", "train", "inspect", "use", "bulk", "queue", "ui", "cli")),
  forbid(["train"], above("fetch", "adapter", "inspect", "use", "bulk", "queue", "ui", "cli")),
  forbid(
    ["inspect"],
    above(
      "gpu",
      "kernels",
      "graph",
      "layers",
      "weights",
      "fetch",
      "adapter",
      "train",
      "use",
      "bulk",
      "queue",
      "ui",
      "cli",
    ),
  ),
  forbid(["use"], above("fetch", "adapter", "bulk", "queue", "ui", "cli")),
  forbid(["bulk"], above("adapter", "queue", "ui", "cli")),
  forbid(["queue"], above("fetch", "adapter", "ui", "cli")),
  forbid(["ui"], above("fetch", "adapter", "bulk", "queue", "cli")),
  forbid(["ui/page", "ui/demo"], [...node, ...above("fetch", "adapter", "cli")]),
);
