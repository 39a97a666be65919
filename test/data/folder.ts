import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import type { Sharp } from "sharp";
import { onTestFinished } from "vitest";

/** A folder of its own for the running test, removed after it, holding the given files. */
export async function folderOf(files: Record<string, Uint8Array | string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bespoke-data-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** An 8-bit grey PNG whose pixels are `value(x, y)`. */
export function greyPng(
  width: number,
  height: number,
  value: (x: number, y: number) => number,
): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: width * height }, (_, i) =>
    value(i % width, Math.floor(i / width)),
  );
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toBuffer();
}

/** An RGB picture of soft waves. */
export function photo(width: number, height: number): Sharp {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => 128 + 100 * Math.sin(i / 40));
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}
