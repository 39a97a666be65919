import { open } from "node:fs/promises";
import { extname } from "node:path";
import type { Place } from "./place.ts";

/** As many bytes of either end of a file as are looked at. */
const PEEKED = 64 * 1024;

/** The beginning and the end of a file as text, in one where it is small; empty where it cannot be read. */
export async function peek(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.alloc(Math.min(size, 2 * PEEKED));
      const half = Math.min(size, PEEKED);
      await handle.read(buffer, 0, half, 0);
      await handle.read(buffer, half, buffer.length - half, size - (buffer.length - half));
      return buffer.toString("utf8").replace(/^\uFEFF?\s*/, "");
    } finally {
      await handle.close();
    }
  } catch {
    return "";
  }
}

/**
 * Of the files that lie in a place itself, or of the one that it is, those that `tells` knows by what {@link peek} shows of them.
 *
 * @param extension with its dot, in lower case
 */
export async function filesThat(
  place: Place,
  extension: string,
  tells: (text: string) => boolean,
): Promise<string[]> {
  const entries = place.isFolder ? ((await place.entries()) ?? []) : [];
  const files = place.isFolder
    ? entries.filter((entry) => !entry.isDirectory()).map(({ name }) => place.file(name))
    : [place.path];
  const found: string[] = [];
  for (const file of files) {
    if (extname(file).toLowerCase() === extension && tells(await peek(file))) found.push(file);
  }
  return found;
}
