import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tileCandidates, tileGroup } from "../../src/kernels/conv2d/tiles.ts";
import type { Tile, TileRequest } from "../../src/kernels/tiling.ts";
import { matrixKernelsDigest } from "../../src/kernels/conv2d/digest.ts";
import { tilesFrom } from "../../src/graph/autotune/autotune.ts";
import type { TileChoices } from "../../src/graph/autotune/autotune.ts";
import { productGroups } from "../../src/graph/autotune/products.ts";
import { formatRecord } from "../../src/graph/autotune/record.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { resolveConfig } from "../../src/config/index.ts";
import { writeJson } from "../../src/runs/run-folder.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { autotunedTiles, autotuneFile, inTiles, readTiles } from "../../src/train/autotune.ts";
import { plannedBytes } from "../../src/train/forecast/memory.ts";
import { trainingStep } from "../../src/train/phase/programs.ts";
import { useGpu } from "../helpers/gpu.ts";
import { compileQuickly } from "../helpers/quick-compiler.ts";

// No tile of 4 lanes takes more memory than the default ones.
compileQuickly({ wide: true });
const gpu = useGpu();

/** Of a run that only fine-tunes. */
const options = {
  ...{ batchSize: 8, imageSize: 32, classes: 5, momentum: 0.9, optimizer: "rmsprop", clipNorm: null },
  ...{ epochs: { frozen: 0, finetune: 1 }, stepsPerEpoch: 1, maxSteps: null, dropRemainder: true },
} as TrainerOptions;
const PHOTOS = 8;

const REQUEST: TileRequest = {
  family: "register",
  kind: "forward",
  rows: 512,
  columns: 128,
  depth: 256,
  taps: 1,
  phases: 1,
  layers: 1,
  left: { buffers: ["x"], width: 4 },
  store: { buffers: ["y"], width: 4 },
};

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "autotune-"))));
afterEach(() => rm(folder, { recursive: true }));

/** What is chosen of what the cache knows, and what was said. */
async function choose(said: { tune?: "auto" | "on" | "off" }, available?: number) {
  const sentences: string[] = [];
  const config = resolveConfig([{ file: null, said }], "lavapipe");
  const job = { gpu: gpu(), config, say: (sentence: string) => void sentences.push(sentence) };
  const cached = { folder: join(folder, "cache"), seconds: 0, available };
  return { choices: await autotunedTiles(job, options, PHOTOS, cached), sentences };
}

/** Puts into the cache that these tiles have won. */
async function fill(winners: Record<string, Tile>): Promise<void> {
  const { vendor, architecture, device, description } = gpu().info;
  const identity = {
    adapter: [vendor, architecture, device].join(" "),
    driver: description,
    kernels: await matrixKernelsDigest(kernelTarget(gpu())),
  };
  const findings = Object.entries(winners).map(
    ([name, tile]) => [name, { winner: tile, measurements: [{ tile, milliseconds: [1] }] }] as const,
  );
  await autotuneFile(gpu(), join(folder, "cache"), () => {}).write(formatRecord(identity, new Map(findings)));
}

describe("autotunedTiles", () => {
  it("leaves the tiles at the default on an adapter that runs on the CPU, and wherever it is told to", async () => {
    expect(gpu().isSoftware).toBe(true);
    await fill({ [tileGroup(REQUEST)]: tileCandidates(kernelTarget(gpu()), REQUEST).at(-1)! });
    for (const tune of [undefined, "auto", "off"] as const)
      expect(await choose({ tune })).toEqual({ choices: {}, sentences: [] });
  });

  it("takes a cache's word where it is asked to", async () => {
    const winners = { [tileGroup(REQUEST)]: tileCandidates(kernelTarget(gpu()), REQUEST).at(-1)! };
    await fill(winners);
    expect(await choose({ tune: "on" })).toEqual({ choices: winners, sentences: [] });
  });

  it("takes the default tiles where a batch that fits in them does not fit in the quickest", async () => {
    // Those that sum in the most parts.
    const groups = productGroups([trainingStep(options, "finetune")], kernelTarget(gpu()));
    const winners = Object.fromEntries(
      groups.map(({ name, candidates }) => [name, candidates.at(-1)!.tile] as const),
    );
    await fill(winners);
    const bytes = (choices: TileChoices): number =>
      plannedBytes(options, kernelTarget(gpu(), tilesFrom(choices)), PHOTOS);
    const needed = bytes(winners);
    expect(needed).toBeGreaterThan(bytes({}));
    expect(await choose({ tune: "on" }, needed)).toEqual({ choices: winners, sentences: [] });
    expect(await choose({ tune: "on" }, needed - 1)).toEqual({
      choices: {},
      sentences: [expect.stringMatching(/^A batch of 8 photos .* needs .* free in the quickest tiles: /)],
    });
  });
});

describe("inTiles", () => {
  it("has every product of a run choose so", () => {
    const tile = { rows: 8, columns: 32 };
    expect(inTiles(options, { [tileGroup(REQUEST)]: tile }).tileFor!(REQUEST)).toEqual(tile);
    expect(inTiles(options, {}).tileFor!(REQUEST)).toBeUndefined();
  });
});

describe("readTiles", () => {
  it("gives a run that goes on its own tiles, and the default ones with a sentence where they are damaged", async () => {
    const said: string[] = [];
    const say = (sentence: string): void => void said.push(sentence);
    const file = join(folder, "tiles.json");
    const kept = { [tileGroup(REQUEST)]: { rows: 8, columns: 32 } };
    await writeJson(file, kept);
    expect(await readTiles(file, say)).toEqual(kept);
    await rm(file);
    expect(await readTiles(file, say)).toEqual({});
    expect(said).toEqual([]);
    await writeFile(file, '{"conv": {"rows": "many"}}');
    expect(await readTiles(file, say)).toEqual({});
    expect(said).toEqual([expect.stringContaining("tiles.json is damaged")]);
  });
});

describe("autotuneFile", () => {
  const info = { vendor: "a vendor", architecture: "", device: "GPU (R) / 5" } as GPUAdapterInfo;

  it("is one file an adapter, written as a whole", async () => {
    const file = autotuneFile({ info }, join(folder, "a", "b"), () => {});
    expect(file.path).toBe(join(folder, "a", "b", "a-vendor-GPU-R-5.json"));
    expect(await file.read()).toBeNull();
    await file.write("one");
    await file.write("two");
    expect(await file.read()).toBe("two");
    expect(await readFile(file.path, "utf8")).toBe("two");
    expect(await readdir(join(folder, "a", "b"))).toEqual(["a-vendor-GPU-R-5.json"]);
  });

  it("says in a sentence that it cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    const said: string[] = [];
    const file = autotuneFile({ info }, join(folder, "file"), (sentence) => void said.push(sentence));
    await file.write("one");
    expect(said).toEqual([
      expect.stringMatching(/^What was measured cannot be kept in .*a-vendor-GPU-R-5.json/),
    ]);
    expect(await file.read()).toBeNull();
  });
});
