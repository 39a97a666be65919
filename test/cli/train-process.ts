import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import type { Sharp } from "sharp";

const ENTRY = new URL("../../src/cli/train.ts", import.meta.url).pathname;
const TSX = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  /** Without what Dawn's native code remarks. */
  readonly errors: string;
}

export interface TrainProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Sees what has been said so far, each time there is more, and may end the process. */
  readonly onOutput?: (said: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the real command in `folder`. */
export function train(
  folder: string,
  args: readonly string[],
  { env = {}, onOutput }: TrainProcessOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", TSX, ENTRY, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
    });
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

/** The smallest run of both phases: a step each. */
export const TINY = [
  ...["--image-size", "32", "--batch-size", "2", "--validation-photos", "4"],
  ...["--epochs-frozen", "1", "--epochs-finetune", "1", "--steps-per-epoch", "1"],
];

/** Makes `folder/data`: six photos of 40×60 with masks of all classes. */
export async function photos(folder: string): Promise<string> {
  const data = join(folder, "data");
  await mkdir(join(data, "images"), { recursive: true });
  await mkdir(join(data, "masks"));
  const raw = (channels: 1 | 3, value: (at: number) => number): Sharp =>
    sharp(
      Uint8Array.from({ length: 40 * 60 * channels }, (_, at) => value(at)),
      { raw: { width: 40, height: 60, channels } },
    );
  for (let i = 0; i < 6; i++) {
    await raw(3, (at) => (at * 7 + i * 31) % 256)
      .jpeg()
      .toFile(join(data, "images", `photo${i}.jpg`));
    await raw(1, (at) => (at * 3) % 59)
      .toColourspace("b-w")
      .png()
      .toFile(join(data, "masks", `photo${i}.png`));
  }
  return data;
}
