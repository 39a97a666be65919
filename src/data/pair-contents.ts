import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { DataError } from "./data-error.ts";
import { messageOf } from "../message-of.ts";
import type { Pair } from "./formats/format.ts";

/** SHA-256 of the bytes of a photo and of its mask, in hexadecimal. */
export interface PairContents {
  readonly photo: string;
  readonly mask: string;
}

/** @throws DataError when one of the files cannot be read. */
export async function contentsOf({ image, mask }: Pair): Promise<PairContents> {
  return { photo: await digestOf(image), mask: await digestOf(mask) };
}

async function digestOf(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new DataError(`${file} cannot be read (${messageOf(error)}): make it a readable file.`);
  });
  return createHash("sha256").update(bytes).digest("hex");
}
