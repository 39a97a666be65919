import { cp, mkdir, readFile, rm, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { resolveConfig } from "../../src/config/index.ts";
import type { TrainConfig } from "../../src/config/index.ts";
import { decodePair } from "../../src/data/decode.ts";
import { contentsOf } from "../../src/data/pair-contents.ts";
import { RunFolder, writeJson } from "../../src/runs/run-folder.ts";
import { INITIAL_STATE } from "../../src/runs/training-state.ts";
import { openData } from "../../src/train/run-data.ts";
import type { RunData } from "../../src/train/run-data.ts";
import { dataMetadata, takeUp } from "../../src/train/take-up.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import type { Metadata } from "../../src/weights/tensors.ts";
import { folderOf, greyPng, photo } from "../data/folder.ts";

vi.mock(import("../../src/data/decode.ts"), async (original) => {
  const decode = await original();
  return { ...decode, decodePair: vi.fn(decode.decodePair) };
});
vi.mock(import("../../src/data/pair-contents.ts"), async (original) => {
  const contents = await original();
  return { ...contents, contentsOf: vi.fn(contents.contentsOf) };
});
beforeEach(() => void vi.clearAllMocks());

/** A run of a checkpoint on six photos in `data`. `metadata` says otherwise what the checkpoint knows of them. */
async function aRun(
  metadata?: Metadata,
): Promise<{ root: string; data: string; run: RunFolder; config: TrainConfig }> {
  const root = await folderOf({ "data/labels.csv": "1,hat\n" });
  const data = join(root, "data");
  for (const part of ["images", "masks"]) await mkdir(join(data, part));
  for (let i = 0; i < 6; i++) {
    await writeFile(join(data, `images/p${i}.png`), await photo(9, 7).png().toBuffer());
    await writeFile(join(data, `masks/p${i}.png`), await greyPng(9, 7, (x) => (x + i) % 5));
  }
  const run = await RunFolder.create({ out: join(root, "run"), name: "train" });
  const said = { data, imageSize: 32, batchSize: 2, cache: false, classes: 5 };
  const config = resolveConfig([{ file: null, said }], "lavapipe");
  const opened = await opening(config);
  await writeJson(run.data, await opened.record());
  const tensors = new Map([["w", { shape: [1], data: new Float32Array(1) }]]);
  const known = metadata ?? (await dataMetadata(opened));
  const state = JSON.stringify({ ...INITIAL_STATE, globalStep: 3 });
  await writeSafetensors(run.checkpoint("last"), tensors, { ...known, state });
  return { root, data, run, config };
}

async function opening(config: TrainConfig): Promise<RunData> {
  const data = await openData(config, () => {});
  await data.read({});
  return data;
}

/** What is said when the run is taken up with the data of `config`. */
async function taken(run: RunFolder, config: TrainConfig): Promise<string[]> {
  const said: string[] = [];
  const resumed = await takeUp(run, await opening(config), (sentence) => said.push(sentence));
  expect(resumed?.state.globalStep).toBe(3);
  return said;
}

test("a run goes on with the same photos and masks, wherever they lie", async () => {
  const { root, data, run, config } = await aRun();
  expect(await taken(run, config)).toEqual([`Taking up ${run.path} after step 3, epoch 0`]);
  await cp(data, join(root, "moved"), { recursive: true });
  await rm(data, { recursive: true });
  expect(await taken(run, { ...config, data: join(root, "moved") })).toHaveLength(1);
});

test("it does not with masks that have changed under their names, and says how many and which", async () => {
  const { data, run, config } = await aRun();
  const refused = (difference: string): Promise<void> =>
    expect(taken(run, config)).rejects.toThrow(
      `${run.path} cannot go on with other data: ${difference}; put back what there was, give its folder with --data, or ` +
        `begin a new run.`,
    );
  const mask = join(data, "masks/p3.png");
  const before = await readFile(mask);
  await writeFile(mask, await greyPng(9, 7, () => 4));
  await refused("1 of 12 files is not what it was (masks/p3.png has changed)");
  await writeFile(join(data, "images/p3.png"), await photo(9, 7).negate().png().toBuffer());
  await expect(taken(run, config)).rejects.toThrow(/ 2 of 12 files are not what they were \(first of all: /);
  await unlink(run.data);
  await refused("its files do not hold what they held when it was begun");
  await writeFile(mask, before);
  await writeFile(join(data, "images/p3.png"), await photo(9, 7).png().toBuffer());
  expect(await taken(run, config)).toHaveLength(1);
});

test("it does not with a photo more or less, with other class names, or with drawn people", async () => {
  const { data, run, config } = await aRun();
  await writeFile(join(data, "labels.csv"), "1,cap\n");
  await expect(taken(run, config)).rejects.toThrow('data: class 1 is called "cap" and was "hat";');
  await writeFile(join(data, "labels.csv"), "1,hat\n");
  await rm(join(data, "images/p5.png"));
  await rm(join(data, "masks/p5.png"));
  await expect(taken(run, config)).rejects.toThrow(
    / 2 of 12 files are not what they were .*p5\.png is missing/,
  );
  await expect(takeUp(run, await opening({ ...config, data: null }), () => {})).rejects.toThrow(
    "it was begun with photos from a folder",
  );
});

test("a run of an earlier version goes on with one sentence, as long as the names are the same", async () => {
  const { data: names } = await dataMetadata(await opening((await aRun()).config));
  const { data, run, config } = await aRun({ data: names });
  expect(await taken(run, config)).toEqual([
    `${run.path} does not know what its photos and masks held: only their names were compared`,
    `Taking up ${run.path} after step 3, epoch 0`,
  ]);
  await rm(join(data, "images/p5.png"));
  await rm(join(data, "masks/p5.png"));
  await expect(taken(run, config)).rejects.toThrow("the names of the photos are not those there were");
});

test("what files hold is read once, and again only of those that may have changed", async () => {
  const { root, data, config } = await aRun();
  const home = process.cwd();
  process.chdir(root);
  try {
    const cached = { ...config, cache: true };
    const first = await (await opening(cached)).record();
    vi.clearAllMocks();
    expect(await (await opening(cached)).record()).toEqual(first);
    expect([vi.mocked(contentsOf), vi.mocked(decodePair)].map(({ mock }) => mock.calls.length)).toEqual([
      0, 0,
    ]);
    await utimes(join(data, "masks/p2.png"), 1e9, 1e9);
    expect(await (await opening(cached)).record()).toEqual(first);
    expect(vi.mocked(contentsOf).mock.calls.map(([{ name }]) => name)).toEqual(["p2"]);
  } finally {
    process.chdir(home);
  }
});
