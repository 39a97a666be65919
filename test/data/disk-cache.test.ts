import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, realpath, rm, stat, utimes, writeFile } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Sample } from "../../src/data/dataset.ts";
import { decodePair } from "../../src/data/decode.ts";
import { FolderDataset } from "../../src/data/folder-dataset.ts";
import type { FolderOptions } from "../../src/data/folder-dataset.ts";
import { folderOf, greyPng, photo } from "./folder.ts";
import { chunk, greyPalette, pngFile } from "./png-file.ts";

vi.mock(import("../../src/data/decode.ts"), async (original) => {
  const decode = await original();
  return { ...decode, decodePair: vi.fn(decode.decodePair) };
});
const decodes = vi.mocked(decodePair);
beforeEach(() => {
  decodes.mockClear();
});

/** So that no mask is looked through for its classes. */
const SETTLED = { classes: 59, ignoreLabel: null };

const NAMES = ["a", "b", "c", "d"];

/** Four pairs, and a folder for the cache that is not there yet. */
async function pairs(): Promise<{ folder: string; cacheFolder: string }> {
  const folder = await folderOf();
  await mkdir(join(folder, "images"));
  await mkdir(join(folder, "masks"));
  for (const [i, name] of NAMES.entries()) await writePair(folder, name, i);
  return { folder, cacheFolder: join(await folderOf(), "deep", "samples") };
}

async function writePair(folder: string, name: string, label: number): Promise<void> {
  const [width, height] = [13 + label, 17];
  await writeFile(join(folder, `images/${name}.jpg`), await photo(width, height).jpeg().toBuffer());
  await writeMask(folder, name, (x, y) => (x + y) % (label + 2), width);
}

async function writeMask(
  folder: string,
  name: string,
  value: (x: number, y: number) => number,
  width: number,
): Promise<void> {
  await writeFile(join(folder, `masks/${name}.png`), await greyPng(width, 17, value));
}

interface Reading {
  samples: Sample[];
  /** How many pairs were decoded. */
  decoded: number;
  warnings: string[];
}

/** What a run does: opens the folder, reads the samples, loads each. */
async function reading(
  folder: string,
  options: Partial<FolderOptions> & { indices?: number[] } = {},
): Promise<Reading> {
  const before = decodes.mock.calls.length;
  const warnings: string[] = [];
  const onWarning = (sentence: string): unknown => warnings.push(sentence);
  const dataset = await FolderDataset.open(folder, { imageSize: 15, ...SETTLED, onWarning, ...options });
  const { indices = [...dataset.pairs.keys()] } = options;
  await dataset.readAll({ indices });
  const samples = await Promise.all(indices.map((index) => dataset.load(index)));
  return { samples, decoded: decodes.mock.calls.length - before, warnings };
}

async function onlyFile(folder: string): Promise<string> {
  const names = await readdir(folder);
  expect(names).toHaveLength(1);
  return join(folder, names[0]);
}

test("samples from disk are those that were decoded, bit for bit, and nothing is decoded again", async () => {
  const { folder, cacheFolder } = await pairs();
  const plain = await reading(folder);
  const first = await reading(folder, { cacheFolder });
  const second = await reading(folder, { cacheFolder });
  expect(first).toEqual(plain);
  expect(second).toEqual({ ...plain, decoded: 0 });
  expect(await onlyFile(cacheFolder)).toMatch(/-15-[0-9a-f]{16}\.samples$/);
});

test("a file that has changed is read anew, also at the same size and with its old time put back", async () => {
  const { folder, cacheFolder } = await pairs();
  const mask = join(folder, "masks/b.png");
  const padTo = async (size: number): Promise<void> => {
    const bytes = await readFile(mask);
    const padding = chunk("tEXt", Buffer.alloc(size - bytes.length - 12));
    await writeFile(mask, Buffer.concat([bytes.subarray(0, -12), padding, bytes.subarray(-12)]));
    await utimes(mask, 1e9, 1e9);
  };
  await padTo(500);
  await reading(folder, { cacheFolder });
  await writeMask(folder, "b", (x, y) => 57 + ((x + y) % 2), 14);
  await padTo(500);
  expect((await stat(mask)).size).toBe(500);
  const changed = await reading(folder, { cacheFolder });
  expect(changed).toEqual({ ...(await reading(folder)), decoded: 1 });
  expect(new Set(changed.samples[1].mask)).toEqual(new Set([57, 58]));
  expect((await reading(folder, { cacheFolder })).decoded).toBe(0);

  await writeFile(join(folder, "images/c.jpg"), await photo(15, 17).negate().jpeg().toBuffer());
  expect(await reading(folder, { cacheFolder })).toEqual({ ...(await reading(folder)), decoded: 1 });
});

test("photos that come and go, and readings of a part, keep the rest", async () => {
  const { folder, cacheFolder } = await pairs();
  expect((await reading(folder, { cacheFolder, indices: [2, 0] })).decoded).toBe(2);
  expect((await reading(folder, { cacheFolder, indices: [3, 2] })).decoded).toBe(1);
  expect((await reading(folder, { cacheFolder })).decoded).toBe(1);
  await writePair(folder, "aa", 5);
  expect(await reading(folder, { cacheFolder })).toEqual({ ...(await reading(folder)), decoded: 1 });
  await rm(join(folder, "images/b.jpg"));
  await rm(join(folder, "masks/b.png"));
  expect(await reading(folder, { cacheFolder })).toEqual({ ...(await reading(folder)), decoded: 0 });
});

test("what was decided for a sample is said of one that comes from disk, and once a data set", async () => {
  const { folder, cacheFolder } = await pairs();
  for (const name of ["b", "d"]) {
    const samples = new Array<number>(17 * (name === "b" ? 14 : 16)).fill(1);
    const chunks = [greyPalette(4, 2)];
    const kind = { depth: 8, colourType: 3 };
    const file = pngFile({ width: samples.length / 17, height: 17, ...kind, samples, chunks });
    await writeFile(join(folder, `masks/${name}.png`), file);
  }
  const first = await reading(folder, { cacheFolder });
  expect(first.warnings).toEqual([expect.stringMatching(/^2 masks \(b, for one\) are of palettes of greys/)]);
  expect(await reading(folder, { cacheFolder })).toEqual({ ...first, decoded: 0 });
  const warnings: string[] = [];
  const dataset = await FolderDataset.open(folder, {
    imageSize: 15,
    ...SETTLED,
    onWarning: (s) => warnings.push(s),
  });
  await dataset.readAll({ indices: [0, 3] });
  expect(warnings).toEqual([expect.stringMatching(/^1 mask \(d, for one\) is of palettes/)]);
  await dataset.readAll({ indices: [3] });
  expect(warnings).toHaveLength(1);
});

test("samples that an older version decoded by other rules lie in another file", async () => {
  const { folder, cacheFolder } = await pairs();
  await reading(folder, { cacheFolder });
  const path = await realpath(folder);
  const decoder = [sharp.versions.sharp, sharp.versions.vips, process.arch, endianness()];
  const keys = [
    JSON.stringify([1, path, 15, "nearest", 59, ...decoder]),
    ...[2, 3].map((version) => JSON.stringify([version, path, 15, "nearest", 59, false, ...decoder])),
  ];
  const digests = keys.map((key) => createHash("sha256").update(key).digest("hex").slice(0, 16));
  const now = await onlyFile(cacheFolder);
  for (const digest of digests) expect(now).not.toContain(digest);
});

test("samples of lossy masks are not served where such masks are refused", async () => {
  const { folder, cacheFolder } = await pairs();
  await rm(join(folder, "masks/b.png"));
  await writeFile(
    join(folder, "masks/b.jpg"),
    await sharp(await greyPng(14, 17, () => 3))
      .jpeg()
      .toBuffer(),
  );
  const taken = await reading(folder, { cacheFolder, lossyMasks: true });
  expect(taken.warnings).toEqual([
    expect.stringMatching(/^1 mask \(b, for one\) is read from a lossy format/),
  ]);
  await expect(reading(folder, { cacheFolder })).rejects.toThrow(/b\.jpg is of JPEG/);
});

const WIDE = { height: 8, width: 12 };
const TALL = { height: 12, width: 8 };
const KINDS = (["letterbox", "short-side"] as const).map((resize) => ({ resize }));

test("other sizes, mask interpolations and classes are kept apart", async () => {
  const { folder, cacheFolder } = await pairs();
  const variants: Partial<FolderOptions>[] = [
    ...[
      {},
      { imageSize: 8 },
      { imageSize: WIDE },
      { imageSize: TALL },
      ...KINDS,
      { maskInterpolation: "bilinear" as const },
      { classes: 7 },
    ],
  ];
  for (const [i, variant] of variants.entries()) {
    expect(await reading(folder, { cacheFolder, ...variant })).toEqual(await reading(folder, variant));
    expect(await readdir(cacheFolder)).toHaveLength(i + 1);
  }
  await expect(reading(folder, { cacheFolder, classes: 3 })).rejects.toThrow("use the classes 0 to 2 only");
});

test("a damaged, cut or foreign file costs the samples that it hit and nothing else", async () => {
  const { folder, cacheFolder } = await pairs();
  const { samples } = await reading(folder, { cacheFolder });
  const file = await onlyFile(cacheFolder);
  const good = await readFile(file);
  const damaged = (kind: string, at: number, byte: number): Buffer => {
    if (kind === "cut") return good.subarray(0, at);
    if (kind === "continued") return Buffer.concat([good, Buffer.alloc(1 + (at % 100), byte)]);
    if (kind === "foreign") return Buffer.alloc(at, byte);
    const bytes = Buffer.from(good);
    bytes[at] ^= byte;
    return bytes;
  };
  const kinds = fc.constantFrom("flipped", "cut", "foreign", "continued");
  await fc.assert(
    fc.asyncProperty(kinds, fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (...damage) => {
      await writeFile(file, damaged(...damage));
      const mended = await reading(folder, { cacheFolder });
      expect(mended.samples).toEqual(samples);
      expect(mended.warnings).toEqual([]);
      expect(mended.decoded).toBeGreaterThan(0);
      expect(await reading(folder, { cacheFolder })).toEqual({ samples, decoded: 0, warnings: [] });
    }),
    { numRuns: 40 },
  );
  await writeFile(file, damaged("flipped", 2 * 13 * 15 * 15 + 5, 1));
  expect((await reading(folder, { cacheFolder })).decoded).toBe(1);
  await rm(file);
  await mkdir(file);
  const { samples: beside, warnings } = await reading(folder, { cacheFolder });
  expect([beside, warnings.length]).toEqual([samples, 1]);
});

test("a folder that cannot be written costs the cache and one sentence", async () => {
  const { folder } = await pairs();
  const { samples } = await reading(folder);
  const file = join(await folderOf({ file: "" }), "file");
  for (const cacheFolder of [join(file, "below"), file, "/proc/bespoke/samples"]) {
    const run = await reading(folder, { cacheFolder });
    expect([run.samples, run.decoded, run.warnings.length]).toEqual([samples, 4, 1]);
    expect(run.warnings[0]).toMatch(/^The resized photos cannot be kept in .*: the next run .*\.$/);
    expect(run.warnings[0]).toContain(cacheFolder);
  }
  const dataset = await FolderDataset.open(folder, { imageSize: 15, ...SETTLED, cacheFolder: file });
  await dataset.readAll();
});

/** Makes writes to any file fail as on a full disk after the first `allowed`. */
async function fillDisk(allowed: number): Promise<void> {
  type Write = (...args: unknown[]) => Promise<unknown>;
  const some = await open(new URL(import.meta.url));
  const prototype = Object.getPrototypeOf(some) as { write: Write };
  await some.close();
  const real = Reflect.get<typeof prototype, "write">(prototype, "write");
  const write = vi.spyOn(prototype, "write").mockRejectedValue(new Error("ENOSPC: no space left on device"));
  for (let i = 0; i < allowed; i++) write.mockImplementationOnce(real);
  onTestFinished(() => write.mockRestore());
}

test("a full disk leaves the old file, no temporary one and one sentence", async () => {
  const { folder, cacheFolder } = await pairs();
  await reading(folder, { cacheFolder, indices: [0, 1] });
  const before = await readFile(await onlyFile(cacheFolder));
  await fillDisk(3);
  const run = await reading(folder, { cacheFolder });
  expect(run.samples).toEqual((await reading(folder)).samples);
  expect(run.warnings).toHaveLength(1);
  expect(run.warnings[0]).toContain("ENOSPC");
  expect(await readFile(await onlyFile(cacheFolder))).toEqual(before);
});

test("readings at the same time leave one whole file", async () => {
  const { folder, cacheFolder } = await pairs();
  const { samples } = await reading(folder);
  const parts = [[0, 1, 2, 3], [3, 1], [2], [0, 1, 2, 3]];
  const runs = await Promise.all(parts.map((indices) => reading(folder, { cacheFolder, indices })));
  runs.forEach((run, i) => {
    expect([run.samples, run.warnings]).toEqual([parts[i].map((index) => samples[index]), []]);
  });
  await onlyFile(cacheFolder);
  await reading(folder, { cacheFolder });
  expect(await reading(folder, { cacheFolder })).toEqual({ samples, decoded: 0, warnings: [] });
});

test("a mask with a class too high is refused with a cache as without, and what was read before it stays", async () => {
  const { folder, cacheFolder } = await pairs();
  await reading(folder, { cacheFolder });
  await writeMask(folder, "d", () => 200, 16);
  const refused = /d\.png has class 200/;
  for (let run = 0; run < 2; run++) await expect(reading(folder, { cacheFolder })).rejects.toThrow(refused);
  await writePair(folder, "a", 9);
  await expect(reading(folder, { cacheFolder })).rejects.toThrow(refused);
  await writeMask(folder, "d", () => 2, 16);
  expect((await reading(folder, { cacheFolder })).decoded).toBe(1);
});

test("samples are read from disk when memory is short, and kept on disk when they were in memory first", async () => {
  const { folder, cacheFolder } = await pairs();
  const options = { imageSize: 15, ...SETTLED, cacheFolder, cacheBytes: 0 };
  const early = await FolderDataset.open(folder, { imageSize: 15, ...SETTLED, cacheFolder });
  await early.load(1);
  await early.readAll();
  decodes.mockClear();
  const dataset = await FolderDataset.open(folder, options);
  await dataset.readAll();
  expect(await dataset.load(1)).toEqual(await early.load(1));
  expect(decodes).not.toHaveBeenCalled();
  await rm(join(folder, "images/a.jpg"));
  await expect(dataset.load(0)).rejects.toThrow("a.jpg cannot be read");
});

test("a reading that is stopped keeps what it has, and what killed ones left is cleared away", async () => {
  const { folder, cacheFolder } = await pairs();
  const controller = new AbortController();
  const dataset = await FolderDataset.open(folder, { imageSize: 15, ...SETTLED, cacheFolder });
  const onProgress = (done: number): void => {
    if (done === 1) controller.abort(new Error("stopped"));
  };
  await expect(
    dataset.readAll({ indices: [2], signal: controller.signal, onProgress }),
  ).resolves.toBeUndefined();
  await expect(dataset.readAll({ signal: controller.signal })).rejects.toThrow("stopped");
  const file = await onlyFile(cacheFolder);
  await writeFile(`${file}.0123456789ab.tmp`, "old");
  await writeFile(`${file}.ba9876543210.tmp`, "another run's");
  await utimes(`${file}.0123456789ab.tmp`, 1e9, 1e9);
  expect((await reading(folder, { cacheFolder })).decoded).toBe(3);
  expect((await readdir(cacheFolder)).filter((name) => name.endsWith(".tmp"))).toEqual([
    expect.stringContaining("ba9876543210"),
  ]);
});
