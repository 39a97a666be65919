import { open } from "node:fs/promises";

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
