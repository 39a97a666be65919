import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const TSX = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  /** Without what Dawn's native code remarks. */
  readonly errors: string;
}

/**
 * Runs `src/cli/<name>.ts` for real.
 *
 * @param options.onOutput sees what has been said so far, each time there is more, and may end the process.
 */
export function runCommandLine(
  name: string,
  args: readonly string[],
  options: { onOutput?: (said: string, kill: (signal: NodeJS.Signals) => void) => void } = {},
): Promise<Ended> {
  const entry = fileURLToPath(new URL(`../../src/cli/${name}.ts`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", TSX, entry, ...args]);
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      options.onOutput?.(output, (signal) => child.kill(signal));
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, output, errors: errors.replace(/^(Warning: | {4}at ).*\n+/gm, "") });
    });
  });
}
