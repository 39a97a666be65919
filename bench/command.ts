/** @file What the benchmarks' command lines have in common. */
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { parseSize } from "../src/image-size.ts";
import type { Size } from "../src/image-size.ts";

/** An option's value. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}

/** An option's value: the side of a photo. */
export function side(text: string): number {
  const value = positive(text);
  if (value % 32 !== 0) throw new InvalidArgumentError("It must be a multiple of 32.");
  return value;
}

/** An option's value: the size of photos, `128` or `96x64`, height by width. */
export function photoSize(text: string): Size {
  const size = parseSize(text);
  if (size === null) throw new InvalidArgumentError("It must be a number of pixels, or height by width.");
  if (size.height % 32 !== 0 || size.width % 32 !== 0)
    throw new InvalidArgumentError("It must be a multiple of 32 each way.");
  return size;
}

/** Runs `main` with the command line's options; where it fails, the message is said and the exit code is 1. */
export async function run<Options extends object>(
  command: Command,
  main: (options: Options) => Promise<void>,
): Promise<void> {
  try {
    await main(command.parse().opts<Options>());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
