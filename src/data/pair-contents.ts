import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { DataError } from "./data-error.ts";
import { messageOf } from "../message-of.ts";
import type { Pair } from "./formats/format.ts";

/** SHA-256 of the bytes of a photo and of its mask, in hexadecimal. */
export interface PairContents {
  /** Of the photo's file. */
  readonly photo: string;
  /** Of the mask's file, or of that which it is read from. */
  readonly mask: string;
}

/**
 * What the files of a pair hold.
 * @param shared digests of files that many pairs are read from, kept from one call to the next.
 * @throws DataError when one of the files cannot be read.
 */
export async function contentsOf(
  { image, mask, annotation }: Pair,
  shared: Map<string, Promise<string>> = new Map(),
): Promise<PairContents> {
  if (annotation !== undefined && !shared.has(mask)) shared.set(mask, digestOf(mask));
  return { photo: await digestOf(image), mask: await (shared.get(mask) ?? digestOf(mask)) };
}

async function digestOf(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new DataError(`${file} cannot be read (${messageOf(error)}): make it a readable file.`);
  });
  return createHash("sha256").update(bytes).digest("hex");
}
