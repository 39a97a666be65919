import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/helpers/report/measure-file.ts"],
    reporters: ["default", "./test/helpers/report/slowest-files.ts"],
    // One process a file: Dawn's device lives and dies with it, and a crash names its file.
    pool: "forks",
    // Two software adapters at once only fight over the same cores.
    maxWorkers: 2,
    // Node 20.9 cannot load sharp as vitest would import it.
    server: { deps: { inline: ["sharp"] } },
    // SwiftShader, the slowest adapter, has a quarter of lavapipe's speed; a hang must still end.
    testTimeout: 900_000,
    hookTimeout: 120_000,
  },
});
