import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { labelPixels } from "../../src/data/classes/label-pixels.ts";
import { plainLabelling } from "../../src/data/classes/labelling.ts";
import { openMask } from "../../src/data/mask.ts";
import type { MaskOptions } from "../../src/data/mask.ts";
import type { Remark } from "../../src/data/remarks.ts";
import { folderOf, greyPng, photo } from "./folder.ts";
import { chunk, greyPalette, palette, pngFile } from "./png-file.ts";
import type { PngSpec } from "./png-file.ts";
import { sentence } from "./sentence.ts";

interface Read {
  labels: number[];
  remarks: readonly Remark[];
}

async function read(
  bytes: Uint8Array,
  { classes: known = 59, ...options }: MaskOptions & { classes?: number } = {},
  name = "m.png",
): Promise<Read> {
  const file = join(await folderOf({ [name]: bytes }), name);
  const opened = await openMask(file, options);
  const found = await opened.decode();
  return {
    labels: [...labelPixels({ ...found, width: opened.width, file }, plainLabelling(known))],
    remarks: found.remarks,
  };
}

/** A PNG of one row of pixels. */
const row = (colourType: number, depth: number, samples: number[], spec: Partial<PngSpec> = {}): Buffer =>
  pngFile({
    width: samples.length / [1, 0, 3, 1, 2, 0, 4][colourType],
    height: 1,
    ...{ depth, colourType, samples },
    ...spec,
  });

const classes = (labels: number[]): Read => ({ labels, remarks: [] });

test("classes are the stored numbers, whatever kind of PNG holds them", async () => {
  const labels = [0, 3, 7, 58, 1, 0, 12, 3];
  const channels = (n: number, opaque?: number): number[] =>
    labels.flatMap((label) => [
      ...new Array<number>(n).fill(label),
      ...(opaque === undefined ? [] : [opaque]),
    ]);
  for (const interlaced of [false, true]) {
    const of = (colourType: number, depth: number, samples: number[], chunks: Buffer[] = []): Promise<Read> =>
      read(pngFile({ width: 4, height: 2, depth, colourType, samples, interlaced, chunks }));
    for (const depth of [8, 16]) {
      const opaque = 2 ** depth - 1;
      expect(await of(0, depth, labels)).toEqual(classes(labels));
      expect(await of(2, depth, channels(3))).toEqual(classes(labels));
      expect(await of(4, depth, channels(1, opaque))).toEqual(classes(labels));
      expect(await of(6, depth, channels(3, opaque))).toEqual(classes(labels));
    }
    expect(await of(3, 8, labels, [palette([0, 0, 0], [128, 0, 0])])).toEqual(classes(labels));
  }
  for (const depth of [1, 2, 4]) {
    const few = labels.map((label) => label % 2 ** depth);
    expect(await read(row(0, depth, few))).toEqual(classes(few));
    expect(await read(row(3, depth, few, { chunks: [palette([9, 0, 0], [0, 9, 0])] }))).toEqual(classes(few));
  }
});

test("all classes come back of 16-bit pictures with and without alpha, as sharp writes them", async () => {
  const label = fc.integer({ min: 0, max: 58 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(label, { minLength: 1, maxLength: 30 }),
      fc.constantFrom(1, 2, 3, 4),
      async (labels, n) => {
        const samples = Uint16Array.from(
          labels.flatMap((value) => [value, value, value].slice(0, n < 3 ? 1 : 3)),
        );
        const raw = { width: labels.length, height: 1, channels: n < 3 ? 1 : 3 } as const;
        const grey = sharp(samples, { raw }).toColourspace(n < 3 ? "grey16" : "rgb16");
        const file = await (n % 2 ? grey : grey.ensureAlpha()).png().toBuffer();
        expect(await read(file)).toEqual(classes(labels));
      },
    ),
    { numRuns: 20 },
  );
});

test("a palette of colours stands for its indices, one of greys for what a viewer shows, which is said", async () => {
  const colours = [palette([0, 0, 0], [128, 0, 0], [0, 128, 0])];
  expect(await read(row(3, 8, [2, 0, 1, 2], { chunks: colours }))).toEqual(classes([2, 0, 1, 2]));
  const identity = [greyPalette(...new Array(256).keys())];
  expect(await read(row(3, 8, [5, 0, 20], { chunks: identity }))).toEqual(classes([5, 0, 20]));
  const reordered = [greyPalette(5, 0, 20)];
  expect(await read(row(3, 8, [0, 1, 2, 1], { chunks: reordered }))).toEqual({
    labels: [5, 0, 20, 0],
    remarks: ["greyPalette"],
  });
  expect(await sentence(read(row(3, 8, [0, 3], { chunks: reordered })))).toContain(
    "has index 3 at pixel (1, 0) and a palette of 3 greys",
  );
  expect(await sentence(read(row(3, 1, [0, 1], { chunks: [greyPalette(0, 255)] })))).toContain(
    "has class 255 at pixel (1, 0), counted from the top left: its palette is of greys, which were read as a viewer shows them",
  );
});

test("what sharp makes of a grey mask with `palette: true` keeps its classes", async () => {
  const label = (x: number, y: number): number => [20, 5, 0, 5][(x + y) % 4];
  const file = await sharp(await greyPng(16, 16, label))
    .png({ palette: true })
    .toBuffer();
  expect((await sharp(file).metadata()).isPalette).toBe(true);
  const { labels } = await read(file);
  expect(labels).toEqual(Array.from({ length: 256 }, (_, i) => label(i % 16, i >> 4)));
});

test("transparency leaves the numbers as they are, and is said where they are not 0", async () => {
  const said = (labels: number[]): Read => ({ labels, remarks: ["transparent"] });
  expect(await read(row(4, 8, [3, 255, 0, 0]))).toEqual(classes([3, 0]));
  expect(await read(row(4, 8, [3, 254, 0, 255]))).toEqual(said([3, 0]));
  expect(await read(row(6, 16, [3, 3, 3, 0, 7, 7, 7, 65535]))).toEqual(said([3, 7]));
  const key = chunk("tRNS", Buffer.of(0, 7));
  expect(await read(row(0, 8, [3, 7], { chunks: [key] }))).toEqual(said([3, 7]));
  expect(await read(row(0, 8, [3, 6], { chunks: [key] }))).toEqual(classes([3, 6]));
  const colours = [palette([0, 0, 0], [128, 0, 0]), chunk("tRNS", Buffer.of(0))];
  expect(await read(row(3, 8, [0, 1], { chunks: colours }))).toEqual(classes([0, 1]));
});

test("a class too high, of 8 bits or of 16, is told with file, class and pixel", async () => {
  const grey = await greyPng(4, 3, (x, y) => (x === 2 && y === 1 ? 200 : 3));
  expect(await sentence(read(grey, {}, "0007.png"))).toMatch(
    /0007\.png has class 200 at pixel \(2, 1\), counted from the top left: use the classes 0 to 58 only, or say what it is with --label-map, a file with the line 200,CLASS or 200,ignore\.$/,
  );
  expect(await sentence(read(row(0, 16, [58, 263])))).toContain("has class 263 at pixel (1, 0)");
  expect(await sentence(read(row(2, 16, [0, 0, 0, 256, 256, 256])))).toContain(
    "has class 256 at pixel (1, 0)",
  );
  expect(await sentence(read(row(0, 8, [2, 3]), { classes: 3 }))).toContain("use the classes 0 to 2 only");
});

test("a mask in colour is refused, of 16 bits where only the low ones differ too", async () => {
  expect(await sentence(read(await photo(4, 4).png().toBuffer()))).toContain("is in colour: red 128");
  expect(await sentence(read(row(6, 16, [0, 0, 0, 9, 3, 4, 3, 9])))).toMatch(
    /is in colour: red 3, green 4, blue 3 at pixel \(1, 0\).* save it as an 8-bit grey or palette PNG that holds class numbers\.$/,
  );
});

test("masks of lossy formats are refused unless asked for", async () => {
  const mask = sharp(await greyPng(16, 16, () => 7));
  for (const [format, bytes] of [
    ["JPEG", await mask.jpeg().toBuffer()],
    ["lossy WebP", await mask.webp().toBuffer()],
    ["AVIF", await mask.avif({ lossless: true }).toBuffer()],
  ] as const) {
    // The name is not what counts.
    expect(await sentence(read(bytes))).toMatch(
      new RegExp(`m\\.png is of ${format}, which changes numbers .* make a PNG anew .* or say --lossy-masks`),
    );
    const { labels, remarks } = await read(bytes, { lossyMasks: true });
    expect(remarks).toEqual(["lossy"]);
    expect(labels).toHaveLength(256);
  }
  const high = await sharp(await greyPng(8, 8, () => 120))
    .jpeg()
    .toBuffer();
  expect(await sentence(read(high, { lossyMasks: true }))).toContain(
    "save masks as PNG, since JPEG changes their numbers",
  );
});

test("a lossless WebP is read as it is; other formats are named", async () => {
  const labels = Array.from({ length: 64 }, (_, i) => (i * 7) % 59);
  const mask = sharp(await greyPng(8, 8, (x, y) => labels[8 * y + x]));
  expect(await read(await mask.webp({ lossless: true }).toBuffer())).toEqual(classes(labels));
  expect(await sentence(read(await mask.tiff().toBuffer()))).toContain(
    "is a TIFF file: save it as a PNG that holds class numbers.",
  );
});

test("a damaged PNG is told with what is wrong", async () => {
  const file = Buffer.from(row(0, 8, [1, 2, 3]));
  file[50] ^= 1;
  expect(await sentence(read(file))).toMatch(
    /^The mask \S+m\.png cannot be decoded \(the checksum of its chunk "IDAT" at byte 33 is wrong\): it is truncated, damaged/,
  );
  const header = Buffer.from(row(0, 8, [1, 2, 3]));
  header.writeUInt32BE(100_000, 16);
  header.writeUInt32BE(100_000, 20);
  expect(await sentence(read(header))).toContain("cannot be decoded");
});
