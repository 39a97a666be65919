import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ensureAdapter } from "./adapter.mjs";
import { npmAbove, whenOneEnds } from "./forebears.mjs";
import { npmScript, tellLaunched } from "./launched.mjs";
import { SetupError, say } from "./messages.mjs";
import { ensureModules } from "./modules.mjs";
import { endBy, heedSignals, interrupted, Interruption, runInPlace } from "./processes.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs the command even when no adapter can be had; `BESPOKE_SETUP_PROBLEM` then tells it why. */
const OPTIONAL = "--adapter=optional";
/** Runs a command that needs no adapter: none is looked for. */
const NONE = "--adapter=none";

/**
 * Sets this checkout up as far as it is not, and runs a command in it. When npm has started this and ends before it, by a
 * signal for instance, the command is told to end as well.
 *
 * @param {string[]} argv `[--adapter=optional|none] <file.ts | name of an installed program> [its arguments]`
 */
export async function launch(argv) {
  const release = heedSignals();
  try {
    const [first] = argv;
    const [target, ...args] = first === OPTIONAL || first === NONE ? argv.slice(1) : argv;
    if (target === undefined)
      throw new SetupError("nothing to run: name a .ts file or an installed program.");
    const script = npmScript(ROOT, target, process.env);
    whenOneEnds(await npmAbove(script?.text ?? null), () => process.kill(process.pid, "SIGTERM"));
    await ensureModules(ROOT);
    const env = {
      ...(await environmentFor(asksForHelp(args) ? NONE : first)),
      ...tellLaunched({ pid: process.pid, script }),
    };
    interrupted.throwIfAborted();
    release();
    await runInPlace(
      process.execPath,
      [...nodeArguments(target), ...args],
      { ...process.env, ...env },
      { countsInterrupts: !target.endsWith(".ts") },
    );
  } catch (error) {
    if (error instanceof Interruption) return endBy(error.signal);
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

/**
 * Whether the command will say how it is used and do nothing.
 *
 * @param {string[]} args
 */
function asksForHelp(args) {
  return args.some((argument) => ["--help", "-h", "--version"].includes(argument));
}

/**
 * What the environment has to say for an adapter to be found.
 *
 * @param {string} option
 * @returns {Promise<Record<string, string>>}
 */
async function environmentFor(option) {
  if (option === NONE) return {};
  try {
    return await ensureAdapter(ROOT, process.env);
  } catch (error) {
    if (!(error instanceof SetupError) || option !== OPTIONAL) throw error;
    return { BESPOKE_SETUP_PROBLEM: error.message };
  }
}

/**
 * What Node is called with to run a target: a TypeScript file through tsx, a package's program by its own entry file (no
 * shell and no wrapper between, so that signals arrive).
 *
 * @param {string} target
 * @returns {string[]}
 */
export function nodeArguments(target) {
  if (target.endsWith(".ts")) {
    const file = resolve(ROOT, target);
    if (!existsSync(file)) throw new SetupError(`there is no ${file} to run.`);
    return ["--import", pathToFileURL(createRequire(join(ROOT, "package.json")).resolve("tsx")).href, file];
  }
  const folder = join(ROOT, "node_modules", target);
  if (!existsSync(folder)) throw new SetupError(`there is no installed program called ${target}.`);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return [join(folder, typeof bin === "string" ? bin : bin[target])];
}
