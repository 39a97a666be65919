import { realpathSync } from "node:fs";
import { dirname } from "node:path";

/** The variable that carries a {@link Launched} from the launcher to the command. */
const VARIABLE = "BESPOKE_LAUNCHED";

/**
 * A script of this project's package.json that npm runs: its name and text, and the folder in which its user stands.
 *
 * @typedef {{ name: string, text: string, folder: string }} NpmScript
 *
 * How a command was started: the launcher's process id, and npm's script where it was `npm run`.
 * @typedef {{ pid: number, script: NpmScript | null }} Launched
 */

/**
 * npm's script that runs `target` through the launcher, as npm tells of it in the environment; null where npm did not
 * start this process, but its variables have come down from a script further up.
 *
 * @param {string} root the project's folder
 * @param {string} target what the launcher runs
 * @param {NodeJS.ProcessEnv} env
 * @returns {NpmScript | null}
 */
export function npmScript(root, target, env) {
  const { npm_lifecycle_event: name, npm_lifecycle_script: text, npm_package_json: manifest } = env;
  if (!name || !text || !manifest) return null;
  const words = text.split(" ");
  const here = realpathSync(root);
  if (!words.includes("scripts/launch.mjs") || !words.includes(target) || process.cwd() !== here) return null;
  try {
    if (realpathSync(dirname(manifest)) !== here) return null;
  } catch {
    return null;
  }
  return { name, text, folder: env.INIT_CWD ?? here };
}

/**
 * The environment that tells the command how it was started.
 *
 * @param {Launched} launched
 * @returns {Record<string, string>}
 */
export function tellLaunched(launched) {
  return { [VARIABLE]: JSON.stringify(launched) };
}

/**
 * How this process was started; null where no launcher did it. For programs that the command started itself there is
 * still the launcher, but no script.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Launched | null}
 */
export function readLaunched(env = process.env) {
  const text = env[VARIABLE];
  if (!text) return null;
  const { pid, script } = /** @type {Launched} */ (JSON.parse(text));
  return { pid, script: pid === process.ppid ? script : null };
}
