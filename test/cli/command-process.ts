import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { bundledProgram } from "../helpers/bundled-program.ts";
import { standInEnvironment } from "../helpers/small-network.ts";
import type { StandIn } from "../helpers/stand-ins.mjs";
import { runCommandHere } from "./command-here.ts";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  /** Without what Dawn's native code remarks. */
  readonly errors: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** The network as it is, where otherwise a small one is enough. */
  readonly wholeNetwork?: boolean;
  /** Figures come out white, where what they show is not the point: drawing those of a run takes seconds. */
  readonly whiteFigures?: boolean;
  /** Sees what has been said so far, each time there is more, and may end the process. */
  readonly onOutput?: (said: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/**
 * Runs `src/cli/<name>.ts` in a process of its own, with a small network unless told otherwise.
 *
 * @see runCommandHere, which is quicker
 */
export async function runCommandLine(
  name: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Ended> {
  const [program, ...words] = await commandLine(name, args, options);
  return runProgram(program, words, options);
}

/** What runs `src/cli/<name>.ts`. */
export const commandLine = async (
  name: string,
  args: readonly string[],
  options: Pick<ProcessOptions, "wholeNetwork" | "whiteFigures"> = {},
): Promise<string[]> => [
  process.execPath,
  await bundledProgram(`src/cli/${name}.ts`, standInsFor(options)),
  ...args,
];

const standInsFor = ({
  wholeNetwork = false,
  whiteFigures = false,
}: Pick<ProcessOptions, "wholeNetwork" | "whiteFigures">): StandIn[] => [
  ...(wholeNetwork ? [] : (["small-unet"] as const)),
  ...(whiteFigures ? (["white-figures"] as const) : []),
];

/**
 * Runs `npm run <name> <flags> -- <args>` in the checkout, or below it, until everything that npm has started is gone too.
 */
export function npmRun(
  name: string,
  args: readonly string[],
  {
    cwd = fileURLToPath(new URL("../../", import.meta.url)),
    flags = [],
    ...options
  }: ProcessOptions & { readonly flags?: readonly string[] } = {},
): Promise<Ended> {
  const words = ["run", name, ...flags, "--", ...args];
  const env = { ...standInEnvironment(standInsFor(options)), ...options.env };
  return runProgram("npm", words, { ...options, cwd, env });
}

/** Runs a program that runs the command, in a process of its own. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env = {}, onOutput }: Pick<ProcessOptions, "cwd" | "env" | "onOutput">,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env } });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      onOutput?.(output, (signal) => child.kill(signal));
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, output, errors: errors.replace(/^(Warning: | {4}at ).*\n+/gm, "") });
    });
  });
}

/** Runs `src/cli/<name>.ts` in this process, unless what is asked for takes one of its own. */
export const runCommandQuickly: typeof runCommandLine = (name, args, options = {}) =>
  options.env === undefined && !options.wholeNetwork
    ? runCommandHere(name, args, options)
    : runCommandLine(name, args, options);
