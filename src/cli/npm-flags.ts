import { readFileSync } from "node:fs";
import type { Command, Option } from "commander";
import { readLaunched } from "../../scripts/setup/launched.mjs";

/** npm tells every script of these, whoever set them. */
const ALWAYS_TOLD = ["cache"];

/**
 * Refuses flags of the command that `npm run` has kept for itself, as it does with every flag before a `--`: it only puts
 * them into the environment, and the command would do something else than it was told to.
 *
 * @param argv the command's own arguments; a flag that stands there as well has been heard
 * @throws Error in one sentence that says what to write instead
 */
export function refuseNpmFlags(
  command: Command,
  argv: readonly string[] = process.argv.slice(2),
  env: NodeJS.ProcessEnv = process.env,
): void {
  const script = readLaunched(env)?.script;
  if (!script) return;
  const kept = [command, ...command.commands]
    .flatMap(({ options }) => options)
    .filter(({ long }) => !argv.some((word) => word === long || word.startsWith(`${long}=`)))
    .map((option) => keptFlag(option, env))
    .filter((flag) => flag !== null);
  if (kept.length === 0) return;
  const names = kept.map((flag) => flag.replace(/[= ].*/, "")).join(" and ");
  const rest = argv.includes("--") ? "" : ` ${kept.join(" ")}`;
  const shell = process.platform === "win32" ? ` (in PowerShell '--' in quotes)` : "";
  throw new Error(
    `npm took ${names} for itself: put -- before the flags, npm run ${script.name} --${rest}${shell}.`,
  );
}

/** The flag as it should have been written, or null when npm has not kept it. */
function keptFlag({ long, negate, required, optional }: Option, env: NodeJS.ProcessEnv): string | null {
  const name = long!.replace(negate ? /^--no-/ : /^--/, "");
  const value = env[`npm_config_${name.replaceAll("-", "_")}`];
  if (value === undefined || ALWAYS_TOLD.includes(name) || isInNpmrc(name, env)) return null;
  // To npm, `--no-x` is x with nothing as its value.
  if (negate || value === "") return negate && value === "" ? `--no-${name}` : null;
  if (value !== "true") return `--${name}=${value}`;
  return required || optional ? `--${name} …` : `--${name}`;
}

/** Whether one of the user's files sets it for npm, which has nothing to do with this command then. */
function isInNpmrc(name: string, env: NodeJS.ProcessEnv): boolean {
  const setting = new RegExp(`^\\s*${name}\\s*=`, "m");
  return [env.npm_config_userconfig, env.npm_config_globalconfig, ".npmrc"].some((file) => {
    if (!file) return false;
    try {
      return setting.test(readFileSync(file, "utf8"));
    } catch {
      return false;
    }
  });
}
