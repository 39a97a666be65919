import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CLOTHING_CLASSES } from "../../src/data/class-names.ts";
import { trainTestSplit } from "../../src/data/split.ts";
import { resolveConfig } from "../../src/config/index.ts";
import type { Said } from "../../src/config/index.ts";
import { openEvaluationData } from "../../src/use/model-evaluation.ts";
import type { Model } from "../../src/use/model.ts";
import { denseNet121 } from "../../src/layers/networks/densenet.ts";
import { folderOf, greyPng, photo } from "../data/folder.ts";

async function model(said: Said | null, classNames: readonly string[] = CLOTHING_CLASSES): Promise<Model> {
  const run = said === null ? null : await folderOf();
  if (run !== null) {
    const config = resolveConfig([{ file: null, said: { ...said, imageSize: 64 } }], "lavapipe");
    await writeFile(join(run, "config.json"), JSON.stringify(config));
  }
  const file = join(run ?? "", "model.safetensors");
  const network = {
    encoder: denseNet121,
    decoder: "transpose",
    normalization: "unit",
    precision: "f32",
  } as const;
  return { file, run, resize: "stretch", imageSize: { height: 64, width: 32 }, classNames, ...network };
}

async function photos(count: number, labels?: string): Promise<string> {
  const files: Record<string, Buffer | string> = labels === undefined ? {} : { "labels.csv": labels };
  for (let i = 0; i < count; i++) {
    files[`images/${i}.png`] = await photo(8, 8).png().toBuffer();
    files[`masks/${i}.png`] = await greyPng(8, 8, (x) => (x < 4 ? 0 : 10));
  }
  return folderOf(files);
}

const ALL = { split: "all" } as const;

describe("openEvaluationData", () => {
  it("takes all photos of a folder for a model of whatever origin, at the model's size", async () => {
    const data = await photos(3);
    const { dataset, folder, maskInterpolation } = await openEvaluationData(await model(null), {
      data,
      ...ALL,
    });
    expect(dataset).toMatchObject({ size: 3, imageSize: { height: 64, width: 32 } });
    expect([folder, maskInterpolation]).toEqual([data, "nearest"]);
  });

  it("takes the run's own photos, split and masks", async () => {
    const data = await photos(7);
    const classes = CLOTHING_CLASSES.length;
    const run = await model({
      ...{ data, classes, splitSeed: 2, maskInterpolation: "bilinear", validationPhotos: 1 },
    });
    const { train, test } = trainTestSplit(7, { seed: 2 });
    const validation = await openEvaluationData(run, { data: null, split: "validation" });
    expect(validation.dataset.names).toEqual([String(test[0])]);
    expect(validation).toMatchObject({ folder: data, maskInterpolation: "bilinear", notes: [] });
    const training = await openEvaluationData(run, { data: null, split: "training" });
    expect(training.dataset.names).toEqual(train.map(String));
    const { mask } = await training.dataset.load(0);
    expect(new Set(mask).size).toBeGreaterThan(2);

    const elsewhere = await openEvaluationData(run, { data: await photos(7), split: "validation" });
    expect(elsewhere.dataset.names).toEqual([String(test[0])]);
    expect(elsewhere.notes).toEqual([expect.stringContaining(`The run had its photos from ${data}`)]);
  });

  it("draws what the run drew", async () => {
    const run = await model({ data: null, validationPhotos: 5 });
    const { dataset, folder } = await openEvaluationData(run, { data: null, split: "validation" });
    expect([dataset.size, folder]).toEqual([5, null]);
    await expect(openEvaluationData(run, { data: null, ...ALL })).rejects.toThrow(/drew its photos itself/);
  });

  it("can do without a configuration for all photos of a folder, and not otherwise", async () => {
    const run = await model({});
    await writeFile(join(run.run!, "config.json"), '{ "momentum": 0.9 }');
    const data = await photos(3);
    const { notes } = await openEvaluationData(run, { data, ...ALL });
    expect(notes).toEqual([expect.stringMatching(/"momentum".*nearest neighbour/)]);
    await expect(openEvaluationData(run, { data, split: "validation" })).rejects.toThrow(/"momentum"/);
  });

  it("takes what the data keep for tests", async () => {
    const data = await photos(5);
    await writeFile(join(data, "train.txt"), "0\n1\n");
    await writeFile(join(data, "val.txt"), "2\n");
    const run = await model({ data }, ["value 0", "value 10"]);
    const choice = { data: null, split: "test" } as const;
    await expect(openEvaluationData(run, choice)).rejects.toThrow(
      /has no part of its own for tests with labels/,
    );
    await writeFile(join(data, "test.txt"), "3\n4\n");
    const { dataset, folder } = await openEvaluationData(run, choice);
    expect([dataset.names, folder]).toEqual([["3", "4"], data]);
    const { dataset: validated } = await openEvaluationData(run, { data: null, split: "validation" });
    expect(validated.names).toEqual(["2"]);
  });

  it("tells when the photos' classes have other names", async () => {
    const data = await photos(2, "0,null\n1,hat\n");
    const { notes } = await openEvaluationData(await model(null), { data, ...ALL });
    expect(notes).toEqual([expect.stringContaining('Class 1 is "accessories" to the model and "hat"')]);
  });
});
