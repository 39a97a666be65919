import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { ADAPTER_NEEDS, needsNone } from "./adapter-needs.mjs";
import { SetupError } from "./messages.mjs";
import { missingModule } from "./missing-module.mjs";
import { runSetUp } from "./run-set-up.mjs";
import { userCache } from "./user-cache.mjs";

/** Compiled: of the checkout there is none. */
const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/**
 * Makes sure of an adapter and runs a program of the installed package.
 *
 * @param {string[]} argv `<program> [its arguments]`, or what `bespoke` itself takes
 */
export async function launch(argv) {
  const [program = "", ...args] = argv;
  const need = needsNone(program, args) ? "none" : (ADAPTER_NEEDS[program] ?? "none");
  await runSetUp({
    need,
    cache: userCache(),
    npmText: npxText(process.env),
    prepare: () => {
      if (need !== "none") requireDawn();
    },
    nodeArguments: () => [MAIN, ...argv],
  });
}

/** @throws {SetupError} where Dawn was left out when the package was installed */
function requireDawn() {
  try {
    createRequire(import.meta.url).resolve("webgpu");
  } catch (error) {
    const sentence = missingModule(error);
    if (sentence === null) throw error;
    throw new SetupError(sentence);
  }
}

/**
 * The text that `npx` has started, where it is this.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | null}
 */
function npxText({ npm_command: command, npm_lifecycle_script: text }) {
  return command === "exec" && text !== undefined && /^"?bespoke\b/.test(text) ? text : null;
}
