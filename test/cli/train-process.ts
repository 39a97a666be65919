import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import type { Sharp } from "sharp";
import { runCommandQuickly } from "./command-process.ts";
import type { Ended, ProcessOptions } from "./command-process.ts";

/** Runs the command in `folder`: in this process where it can, see `runCommandQuickly`. */
export const train = (
  folder: string,
  args: readonly string[],
  options: Omit<ProcessOptions, "cwd"> = {},
): Promise<Ended> => runCommandQuickly("train", args, { ...options, cwd: folder });

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
