import { fileURLToPath } from "node:url";
import { capture } from "./processes.mjs";

const PROBE = fileURLToPath(new URL("probe-adapter.mjs", import.meta.url));

/**
 * What Dawn finds under an environment: its adapters; whether a driver crashed or hung the probe; and, when Dawn itself
 * cannot be loaded on this machine, why.
 *
 * @typedef {{ adapters: import("./adapter-choice.mjs").FoundAdapter[], crashed: boolean, unloadable?: string }} ProbeResult
 */

/**
 * Asks Dawn in a process of its own which adapters there are.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<ProbeResult>}
 */
export async function probe(env) {
  // Dawn's and the drivers' own warnings on stderr are left out: what matters of them is said in our words.
  const result = await capture(process.execPath, [PROBE], { env, timeoutSeconds: 60 });
  try {
    const { adapters, unloadable } = JSON.parse(result.stdout.trim().split("\n").at(-1) ?? "");
    return { adapters, crashed: false, unloadable };
  } catch {
    return { adapters: [], crashed: true };
  }
}
