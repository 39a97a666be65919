import { deflateSync } from "node:zlib";
import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { openPng, samplesOf } from "../../../src/data/png/read.ts";
import { chunk, greyPalette, pngFile, pngOf } from "../png-file.ts";

const read = async (file: Buffer): Promise<number[]> => [...(await samplesOf(openPng(file)))];

/** Channels and depths by colour type. */
const KINDS = [
  [0, 1, [1, 2, 4, 8, 16]],
  [2, 3, [8, 16]],
  [3, 1, [1, 2, 4, 8]],
  [4, 2, [8, 16]],
  [6, 4, [8, 16]],
] as const;
const kinds = KINDS.flatMap(([colourType, channels, depths]) =>
  depths.map((depth) => ({ colourType, channels, depth })),
);

test("numbers come back of every colour type, depth, size, filter and interlacing", async () => {
  const cases = fc.record({
    kind: fc.constantFrom(...kinds),
    width: fc.integer({ min: 1, max: 19 }),
    height: fc.integer({ min: 1, max: 19 }),
    interlaced: fc.boolean(),
    seed: fc.nat(),
    filters: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ kind, width, height, interlaced, seed, filters }) => {
      const { colourType, channels, depth } = kind;
      const samples = Array.from(
        { length: width * height * channels },
        (_, i) => (Math.imul(i + seed, 0x9e3779b1) >>> 8) % 2 ** depth,
      );
      const chunks = colourType === 3 ? [greyPalette(0, 1)] : [];
      const filter = (row: number): number => filters[row % filters.length];
      const file = pngFile({ width, height, ...{ depth, colourType, samples, interlaced, filter, chunks } });
      expect(await read(file)).toEqual(samples);
    }),
    { numRuns: 300 },
  );
});

test("agrees with libpng on what libpng writes, filters of its choice, interlaced or not", async () => {
  for (const channels of [1, 2, 3, 4] as const) {
    for (const progressive of [false, true]) {
      const samples = Uint8Array.from(
        { length: 37 * 29 * channels },
        (_, i) => 128 + 90 * Math.sin(i / 13) + (i % 5),
      );
      const picture = sharp(samples, { raw: { width: 37, height: 29, channels } });
      const file = await (channels < 3 ? picture.toColourspace("b-w") : picture)
        .png({ adaptiveFiltering: true, progressive })
        .toBuffer();
      expect(openPng(file)).toMatchObject({ channels, interlaced: progressive });
      expect(await read(file)).toEqual([...samples]);
    }
  }
});

test("agrees with libpng on what this suite's own encoder writes", async () => {
  const samples = Array.from({ length: 23 * 17 * 3 }, (_, i) => (i * i) % 251);
  const filter = (row: number): number => row % 5;
  for (const interlaced of [false, true]) {
    const file = pngFile({ width: 23, height: 17, depth: 8, colourType: 2, samples, interlaced, filter });
    expect([...(await sharp(file).raw().toBuffer())]).toEqual(samples);
  }
});

const good = pngFile({
  width: 4,
  height: 3,
  depth: 8,
  colourType: 0,
  samples: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
});
const header = (width: number, height: number, depth = 8, colourType = 0, ...rest: number[]): Buffer => {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colourType, ...rest], 8);
  return data;
};
const pixels = (bytes: number): Buffer => chunk("IDAT", deflateSync(Buffer.alloc(bytes)));

test("every bit that is flipped, and every byte that is cut off, is noticed", async () => {
  for (let byte = 0; byte < good.length; byte++) {
    const bad = Buffer.from(good);
    bad[byte] ^= 1 << (byte % 8);
    await expect((async () => read(bad))()).rejects.toThrow();
    await expect((async () => read(good.subarray(0, byte)))()).rejects.toThrow();
  }
});

test("says what is wrong", async () => {
  const wrong = async (file: Buffer): Promise<string> => {
    try {
      await read(file);
      return "nothing";
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(await wrong(Buffer.concat([good, Buffer.from("trailing")]))).toBe("8 bytes follow its end");
  const flipped = Buffer.from(good);
  flipped[45] ^= 1;
  expect(await wrong(flipped)).toBe('the checksum of its chunk "IDAT" at byte 33 is wrong');
  expect(await wrong(pngOf(header(4, 3), [pixels(14)]))).toContain("fewer than its header says");
  expect(await wrong(pngOf(header(4, 3), [pixels(16)]))).toContain("more than its header says");
  expect(await wrong(pngOf(header(4, 3), []))).toContain("its pixels are damaged");
  const trailing = chunk("IDAT", Buffer.concat([deflateSync(Buffer.alloc(15)), Buffer.from("more")]));
  expect(await wrong(pngOf(header(4, 3), [trailing]))).toContain("4 bytes follow the last of them");
  const filter = chunk("IDAT", deflateSync(Buffer.alloc(15, 5)));
  expect(await wrong(pngOf(header(4, 3), [filter]))).toContain("filter 5, which does not exist");
  expect(await wrong(pngOf(header(4, 3, 8, 3), [pixels(15)]))).toBe("it has no palette");
  expect(await wrong(pngOf(header(4, 3, 8, 3), [chunk("PLTE", Buffer.alloc(4)), pixels(15)]))).toBe(
    "its palette has 4 bytes",
  );
  expect(await wrong(pngOf(header(4, 3, 3), [pixels(15)]))).toContain("colour type 0 of 3 bits");
  expect(await wrong(pngOf(header(4, 3, 8, 5), [pixels(15)]))).toContain("colour type 5 of 8 bits");
  expect(await wrong(pngOf(header(4, 3, 8, 0, 0, 0, 2), [pixels(15)]))).toContain("interlacing 2");
  expect(await wrong(pngOf(header(4, 3), [chunk("ABCD", Buffer.alloc(1)), pixels(15)]))).toContain('"ABCD"');
  expect(await wrong(pngOf(header(4, 3), [chunk("tEXt", Buffer.alloc(1)), pixels(15)]))).toBe("nothing");
});

test("takes no more memory than a header of sense asks for", async () => {
  for (const [width, height] of [
    [100_000, 100_000],
    [0xffffffff, 1],
    [0, 5],
    [16384, 16384],
  ]) {
    expect(() => openPng(pngOf(header(width, height), [pixels(15)]))).toThrow(
      `claims ${width}×${height} pixels`,
    );
  }
  // 64 MiB in 64 kB, of which the header wants 15 bytes.
  const bomb = pngOf(header(4, 3), [chunk("IDAT", deflateSync(Buffer.alloc(2 ** 26)))]);
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers)), 1);
  await expect(read(bomb)).rejects.toThrow("more than its header says");
  clearInterval(watch);
  expect(Math.max(most, process.memoryUsage().arrayBuffers) - before).toBeLessThan(2 ** 22);
});
