import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { smallUnetEnvironment } from "../helpers/small-network.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TSX = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;

/** Runs `npm run example -- <args>` less npm and set-up, with a small U-Net; what it printed, or what it threw when it did not exit with 0. */
export async function runExample(...args: string[]): Promise<string> {
  const script = fileURLToPath(new URL("../../examples/main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", TSX, script, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...smallUnetEnvironment() },
  });
  return stdout;
}

/** The numbers that follow `name`, in the order they were printed. */
export const numbersAfter = (name: string, output: string): number[] =>
  [...output.matchAll(new RegExp(`${name} ([\\d.e+-]+)`, "g"))].map(([, number]) => Number(number));
