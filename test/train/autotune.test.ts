import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tileCandidates, tileGroup } from "../../src/kernels/conv2d/tiles.ts";
import type { TileRequest } from "../../src/kernels/tiling.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { resolveConfig } from "../../src/config/index.ts";
import { RunFolder, writeJson } from "../../src/runs/run-folder.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { chooseTiles, tuningFile } from "../../src/train/autotune.ts";
import { useGpu } from "../helpers/gpu.ts";

const gpu = useGpu();

/** Of a run that only evaluates. */
const options = {
  batchSize: 1,
  imageSize: 32,
  classes: 5,
  momentum: 0.9,
  epochs: { frozen: 0, finetune: 0 },
} as TrainerOptions;

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
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "tuning-"))));
afterEach(() => rm(folder, { recursive: true }));

/** What is chosen, and what was said. */
async function choose(said: { tune?: "auto" | "on" | "off" }, resume?: RunFolder) {
  const sentences: string[] = [];
  const config = resolveConfig([{ file: null, said }], "lavapipe");
  const job = { gpu: gpu(), config, resume, say: (sentence: string) => void sentences.push(sentence) };
  return {
    choices: await chooseTiles(job, options, { folder: join(folder, "cache"), seconds: 0.01 }),
    sentences,
  };
}

describe("chooseTiles", () => {
  it("leaves the tiles at the default on an adapter that runs on the CPU, and wherever it is told to", async () => {
    expect(gpu().isSoftware).toBe(true);
    for (const tune of [undefined, "auto", "off"] as const) {
      const { choices, sentences } = await choose({ tune });
      expect(choices).toEqual({});
      expect(sentences).toEqual([]);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("times them where it is asked to, and takes a cache's word the next time", async () => {
    const { name } = await fill();
    const { choices, sentences } = await choose({ tune: "on" });
    expect(Object.keys(choices)).toEqual([name]);
    expect(sentences).toEqual([]);
    expect(kernelTarget(gpu()).tileFor!(REQUEST)).toEqual(choices[name]);
    await choose({ tune: "off" });
    expect(kernelTarget(gpu()).tileFor!(REQUEST)).toBeUndefined();
  });

  /** Puts one finding into the cache. */
  async function fill(): Promise<{ name: string }> {
    const { matrixKernelsDigest } = await import("../../src/kernels/conv2d/digest.ts");
    const { formatRecord } = await import("../../src/graph/autotune/record.ts");
    const { vendor, architecture, device, description } = gpu().info;
    const identity = {
      adapter: [vendor, architecture, device].join(" "),
      driver: description,
      kernels: await matrixKernelsDigest(kernelTarget(gpu())),
    };
    const tile = tileCandidates(kernelTarget(gpu()), REQUEST).at(-1)!;
    const name = tileGroup(REQUEST);
    const findings = new Map([[name, { winner: tile, measurements: [{ tile, milliseconds: [1] }] }]]);
    await tuningFile(gpu(), join(folder, "cache"), () => {}).write(formatRecord(identity, findings));
    return { name };
  }

  it("keeps a run that goes on to its own tiles", async () => {
    const run = await RunFolder.create({ out: join(folder, "run"), name: "" });
    const kept = { [tileGroup(REQUEST)]: { rows: 8, columns: 32 } };
    await writeJson(run.tiles, kept);
    const { choices } = await choose({ tune: "on" }, run);
    expect(choices).toEqual(kept);
    expect(kernelTarget(gpu()).tileFor!(REQUEST)).toEqual({ rows: 8, columns: 32 });

    await rm(run.tiles);
    expect(await choose({ tune: "on" }, run)).toEqual({ choices: {}, sentences: [] });

    await writeFile(run.tiles, '{"conv": {"rows": "many"}}');
    const damaged = await choose({ tune: "on" }, run);
    expect(damaged.choices).toEqual({});
    expect(damaged.sentences).toEqual([expect.stringContaining("tiles.json is damaged")]);
    expect(kernelTarget(gpu()).tileFor!(REQUEST)).toBeUndefined();
  });
});

describe("tuningFile", () => {
  const info = { vendor: "a vendor", architecture: "", device: "GPU (R) / 5" } as GPUAdapterInfo;

  it("is one file an adapter, written as a whole", async () => {
    const file = tuningFile({ info }, join(folder, "a", "b"), () => {});
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
    const file = tuningFile({ info }, join(folder, "file"), (sentence) => void said.push(sentence));
    await file.write("one");
    expect(said).toEqual([
      expect.stringMatching(/^What was measured cannot be kept in .*a-vendor-GPU-R-5.json/),
    ]);
    expect(await file.read()).toBeNull();
  });
});
