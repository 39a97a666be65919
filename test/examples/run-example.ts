import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bundledProgram } from "../helpers/bundled-program.ts";
import { COMPILE_WELL } from "../helpers/quick-compiler.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs `npm run example -- <args>` less npm and set-up, with a small U-Net; what it printed, or what it threw when it did not exit with 0. */
export const runExample = (...args: string[]): Promise<string> => run(args);

/** The same for an example that computes for longer than its kernels take to compile. */
export const runLongExample = (...args: string[]): Promise<string> => run(args, COMPILE_WELL);

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const program = await bundledProgram("examples/main.ts", ["small-unet"]);
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  return stdout;
}

/** The numbers that follow `name`, in the order they were printed. */
export const numbersAfter = (name: string, output: string): number[] =>
  [...output.matchAll(new RegExp(`${name} ([\\d.e+-]+)`, "g"))].map(([, number]) => Number(number));
