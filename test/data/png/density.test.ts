import sharp from "sharp";
import { expect, test } from "vitest";
import { chunksOf } from "../../../src/data/png/chunks.ts";
import { setDensity } from "../../../src/data/png/density.ts";
import { photo } from "../folder.ts";
import { pngFile } from "../png-file.ts";

test("a PNG says how many of its pixels are an inch, and is the same picture", async () => {
  const png = await photo(9, 5).png().toBuffer();
  const changed = Buffer.from(png);
  setDensity(changed, 72);
  expect((await sharp(changed).metadata()).density).toBe(72);
  // With the right checksums, which reading its chunks looks at.
  const others = (file: Buffer): unknown => [...chunksOf(file)].filter(({ type }) => type !== "pHYs");
  expect(others(changed)).toEqual(others(png));
  expect(changed).toHaveLength(png.length);
});

test("one that does not say so stays as it is", () => {
  const png = pngFile({ width: 1, height: 1, depth: 8, colourType: 0, samples: [7] });
  const changed = Buffer.from(png);
  setDensity(changed, 72);
  expect(changed).toEqual(png);
});
