import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { sharingFiles } from "./test/helpers/process-sharing.ts";
import LongestFirst from "./test/helpers/report/longest-first.ts";

const source = (file: string): string => fileURLToPath(new URL(`src/${file}`, import.meta.url));

/**
 * `npm test` is what one waits for; `npm run test:all` (`--mode all`) adds the files called `*.slow.test.ts`, in which the
 * whole network trains, and what `isQuick` leaves out elsewhere.
 */
export default defineConfig(({ mode }) => {
  const slow = mode === "all" ? [] : ["test/**/*.slow.test.ts"];
  const sharing = sharingFiles();
  return {
    // As tsconfig.json has it: the package's own name is its sources here, and what was built in what people install.
    resolve: {
      alias: [
        { find: /^bespoke$/, replacement: source("index.ts") },
        { find: "bespoke/nn", replacement: source("nn.ts") },
        { find: "bespoke/layers", replacement: source("layers.ts") },
        { find: "bespoke/networks", replacement: source("networks.ts") },
        { find: "bespoke/node", replacement: source("node.ts") },
        { find: "bespoke/train", replacement: source("training.ts") },
      ],
    },
    test: {
      projects: [
        {
          extends: true,
          mode,
          test: { name: "own process", include: ["test/**/*.test.ts"], exclude: [...slow, ...sharing] },
        },
        {
          extends: true,
          mode,
          test: { name: "shared process", include: sharing, exclude: slow, isolate: false },
        },
      ],
      env: mode === "all" ? { BESPOKE_TESTS: "all" } : { BESPOKE_TESTS: "quick" },
      setupFiles: ["test/helpers/report/measure-file.ts", "test/helpers/compile-quickly.ts"],
      reporters: ["default", "./test/helpers/report/slowest-files.ts"],
      sequence: { sequencer: LongestFirst },
      // One process a file that opens a device: it lives and dies with it, and a crash names its file.
      pool: "forks",
      // Two software adapters at once only fight over the same cores.
      maxWorkers: 2,
      // Node 20.9 cannot load sharp as vitest would import it.
      server: { deps: { inline: ["sharp"] } },
      // SwiftShader, the slowest adapter, has a quarter of lavapipe's speed; a hang must still end.
      testTimeout: 900_000,
      hookTimeout: 120_000,
    },
  };
});
