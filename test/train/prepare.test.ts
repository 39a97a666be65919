import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openGpu } from "../../src/adapter/open-gpu.ts";
import { resolveConfig } from "../../src/config/index.ts";
import type { Said } from "../../src/config/index.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { RunFolder } from "../../src/runs/run-folder.ts";
import { INITIAL_STATE } from "../../src/runs/training-state.ts";
import { refuseFullDisk } from "../../src/train/forecast/disk.ts";
import { dryRun } from "../../src/train/forecast/dry-run.ts";
import { prepare } from "../../src/train/prepare.ts";
import { openData } from "../../src/train/run-data.ts";
import { dataMetadata } from "../../src/train/take-up.ts";
import { train } from "../../src/train/train.ts";
import { trainerOptions } from "../../src/train/trainer-options.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { folderOf, greyPng, photo } from "../data/folder.ts";
import { randomUnet } from "../weights/random-network.ts";

describe("what cannot work is found before anything is written, by a dry run too", () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.destroy());

  const quiet = { say: () => {} };
  const configOf = (said: Said) =>
    resolveConfig([{ file: null, said: { imageSize: 32, batchSize: 2, cache: false, ...said } }], "lavapipe");

  async function photos(): Promise<string> {
    const folder = await folderOf();
    for (const part of ["images", "masks"]) await mkdir(join(folder, part));
    for (let i = 0; i < 5; i++) {
      await writeFile(join(folder, `images/p${i}.png`), await photo(9, 7).png().toBuffer());
      await writeFile(join(folder, `masks/p${i}.png`), await greyPng(9, 7, (x) => (x + i) % 5));
    }
    return folder;
  }

  /** Both refuse the settings with the same sentence, and there is no folder of a run afterwards. */
  async function refused(said: Said, sentence: RegExp): Promise<void> {
    const folder = await folderOf();
    const config = configOf({ out: join(folder, "run"), ...said });
    for (const attempt of [train, dryRun])
      await expect(attempt({ config, gpu, ...quiet })).rejects.toThrow(sentence);
    expect(await readdir(folder)).toEqual([]);
  }

  it("too few photos for a batch", async () => {
    await refused(
      { data: await photos(), batchSize: 8, dropRemainder: true },
      /^4 training photos do not fill a batch of 8: give more photos, --batch-size 4, or --no-drop-remainder/,
    );
  });

  it("a file of class weights that leaves a class out", async () => {
    const file = join(await folderOf(), "weights.csv");
    await writeFile(file, "0,1\n1,2\n");
    await refused(
      { classWeights: file },
      /weights\.csv has no weight for class 2, "[^"]+" and 56 others: give each/,
    );
    await refused(
      { classWeights: "balancd" },
      /^--class-weights balancd is none of the kinds, and there is no/,
    );
  });

  it("a mask with a class that has no name, be it the last that is read", async () => {
    const data = await photos();
    for (const i of [0, 4]) {
      const mask = join(data, `masks/p${i}.png`);
      const before = await greyPng(9, 7, (x) => (x + i) % 5);
      await writeFile(mask, await greyPng(9, 7, () => 59));
      await refused(
        { data, classes: 5 },
        new RegExp(`^Value 59 is none of the 5 classes from --classes: 1 mask has it .*p${i}\\.png`),
      );
      await writeFile(mask, before);
    }
  });

  it("an output folder that is not empty, or not a folder", async () => {
    const out = await folderOf({ "mine.txt": "" });
    await refused({ out }, /is not empty: give another --out/);
    await refused({ out: join(out, "mine.txt", "run") }, /a part of the path is a file, not a folder/);
    expect(await readdir(out)).toEqual(["mine.txt"]);
  });

  it("weights that are not there, or of another network", async () => {
    const folder = await folderOf();
    await refused({ weights: join(folder, "none.safetensors") }, /none\.safetensors: there is no such file/);
    const other = join(folder, "other.safetensors");
    await writeSafetensors(other, new Map([["w", { shape: [1], data: new Float32Array(1) }]]));
    await refused({ weights: other }, /other\.safetensors has no tensor "/);
  });

  it("but of a network of other classes the head alone is not taken, which is said", async () => {
    const folder = await folderOf();
    const weights = join(folder, "six.safetensors");
    await writeSafetensors(weights, randomUnet(6, "transpose"), {});
    const said: string[] = [];
    const config = configOf({
      ...{ data: await photos(), weights, decoder: "transpose" },
      ...{ freeze: "none", cacheFeatures: true },
    });
    await prepare({ config, gpu, say: (sentence) => void said.push(sentence) });
    expect(said).toContainEqual(
      expect.stringMatching(/six\.safetensors tells 6 classes apart and the data has \d+: its encoder/),
    );
    expect(said).toContainEqual(expect.stringMatching(/^--cache-features keeps nothing with --freeze none/));
  });

  it("a disk that the checkpoints do not fit on", async () => {
    const config = configOf({});
    const options = trainerOptions(config, await openData(config, quiet.say));
    const attempt = (bytes: number): Promise<void> =>
      refuseFullDisk("runs/full", options, kernelTarget(gpu), bytes);
    await expect(attempt(2 ** 20)).rejects.toThrow(
      /^The disk of runs\/full has 1 MiB free and the run's checkpoints need \d{3} MiB: free some space or give another --out\.$/,
    );
    await expect(attempt(2 ** 40)).resolves.toBeUndefined();
  });

  it("but a run that goes on needs neither the weights that it began with nor its folder to be empty", async () => {
    const data = await photos();
    const run = await RunFolder.create({ out: join(await folderOf(), "run"), name: "train" });
    const config = configOf({ data, out: run.path, weights: "gone.safetensors" });
    const opened = await openData(config, quiet.say);
    const state = JSON.stringify({ ...INITIAL_STATE, globalStep: 1 });
    const tensors = new Map([["w", { shape: [1], data: new Float32Array(1) }]]);
    await writeSafetensors(run.checkpoint("last"), tensors, { ...(await dataMetadata(opened)), state });
    const job = { config, gpu, resume: run, ...quiet };
    expect((await prepare(job)).resumed?.state.globalStep).toBe(1);
    // Elsewhere the same photos are as good.
    const moved = await folderOf();
    await cp(data, moved, { recursive: true });
    await rm(data, { recursive: true });
    await expect(prepare(job)).rejects.toThrow(`There is no folder ${data}`);
    expect((await prepare({ ...job, config: { ...config, data: moved } })).resumed).toBeDefined();
    await rm(run.checkpoint("last"));
    await expect(prepare({ ...job, config: { ...config, data: moved } })).rejects.toThrow("gone.safetensors");
  });
});
