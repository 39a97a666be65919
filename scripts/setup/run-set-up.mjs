import { ensureAdapter } from "./adapter.mjs";
import { npmAbove, whenOneEnds } from "./forebears.mjs";
import { tellLaunched } from "./launched.mjs";
import { SetupError, say } from "./messages.mjs";
import { endBy, heedSignals, interrupted, Interruption, runInPlace } from "./processes.mjs";

/**
 * What is to be run: what `prepare` makes ready, or refuses; the arguments that Node gets; whether it needs an adapter,
 * and where software drivers are kept; npm's script that this is, and what npm has as the text of what it has started.
 *
 * @typedef {{
 *   prepare: () => Promise<void> | void,
 *   nodeArguments: () => string[],
 *   need: import("./adapter-needs.mjs").AdapterNeed,
 *   cache: string,
 *   script?: import("./launched.mjs").NpmScript | null,
 *   npmText?: string | null,
 *   countsInterrupts?: boolean,
 * }} Target
 */

/**
 * Sets up what a command needs and runs it in this process's place. When npm has started this and ends before it, by a
 * signal for instance, the command is told to end as well.
 *
 * @param {Target} target
 */
export async function runSetUp({
  prepare,
  nodeArguments,
  need,
  cache,
  script = null,
  npmText = script?.text ?? null,
  countsInterrupts = false,
}) {
  const release = heedSignals();
  try {
    whenOneEnds(await npmAbove(npmText), () => process.kill(process.pid, "SIGTERM"));
    await prepare();
    const env = { ...(await environmentFor(need, cache)), ...tellLaunched({ pid: process.pid, script }) };
    interrupted.throwIfAborted();
    release();
    await runInPlace(process.execPath, nodeArguments(), { ...process.env, ...env }, { countsInterrupts });
  } catch (error) {
    if (error instanceof Interruption) return endBy(error.signal);
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

/**
 * What the environment has to say for an adapter to be found.
 *
 * @param {import("./adapter-needs.mjs").AdapterNeed} need a command for which it is "optional" is told by
 *   `BESPOKE_SETUP_PROBLEM` why there is none
 * @param {string} cache
 * @returns {Promise<Record<string, string>>}
 */
async function environmentFor(need, cache) {
  if (need === "none") return {};
  try {
    return await ensureAdapter(cache, process.env);
  } catch (error) {
    if (!(error instanceof SetupError) || need !== "optional") throw error;
    return { BESPOKE_SETUP_PROBLEM: error.message };
  }
}
