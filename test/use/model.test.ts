import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { FolderDataset } from "../../src/data/folder-dataset.ts";
import { decodePhoto } from "../../src/data/photo.ts";
import { evaluationBatches } from "../../src/data/batches.ts";
import { Variables } from "../../src/graph/variables.ts";
import { restoreWeights } from "../../src/train/checkpoint.ts";
import { evaluate } from "../../src/train/phase/evaluate.ts";
import { denseNet121, denseNet169 } from "../../src/layers/networks/densenet.ts";
import { loadModel } from "../../src/use/model.ts";
import type { Model } from "../../src/use/model.ts";
import { maskFromLogits } from "../../src/masks/mask-from-logits.ts";
import { Predictor } from "../../src/use/predictor.ts";
import { compileEvaluator } from "../../src/train/phase/programs.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import type { Metadata, NamedTensors } from "../../src/weights/tensors.ts";
import { folderOf, greyPng, photo } from "../data/folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { TINY_CLASSES, TINY_METADATA, tinyModel } from "../train/tiny-model.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

/** As much of a checkpoint as is looked at before a network is built. */
const STUMP: NamedTensors = new Map([["head/bias", { shape: [5], data: new Float32Array(5) }]]);

async function checkpoint(metadata: Metadata, tensors = STUMP, path = "model.safetensors"): Promise<string> {
  const folder = await folderOf();
  await mkdir(join(folder, "checkpoints"));
  await writeSafetensors(join(folder, path), tensors, metadata);
  return folder;
}

describe("loadModel", () => {
  it("reads what a checkpoint says of itself", async () => {
    const metadata = {
      ...TINY_METADATA,
      ...{ encoder: "densenet169", decoder: "nearest", normalization: "imagenet", precision: "f16" },
    };
    const file = join(await checkpoint(metadata), "model.safetensors");
    expect(await loadModel(file)).toEqual({
      file,
      run: null,
      imageSize: { height: 32, width: 32 },
      resize: "stretch",
      classNames: TINY_CLASSES,
      encoder: denseNet169,
      decoder: "nearest",
      normalization: "imagenet",
      precision: "f16",
    });
    expect((await loadModel(file, { imageSize: 96 })).imageSize).toEqual({ height: 96, width: 96 });
    const rectangle = { height: 96, width: 64 };
    expect((await loadModel(file, { imageSize: rectangle })).imageSize).toEqual(rectangle);
    const wide = join(await checkpoint({ ...metadata, image_size: "64x96" }), "model.safetensors");
    const boxed = join(await checkpoint({ ...metadata, resize: "letterbox" }), "model.safetensors");
    expect((await loadModel(boxed)).resize).toBe("letterbox");
    expect((await loadModel(wide)).imageSize).toEqual({ height: 64, width: 96 });
  });

  it("takes a run's best checkpoint, else its last", async () => {
    const run = await checkpoint(TINY_METADATA, STUMP, join("checkpoints", "last.safetensors"));
    const file = (name: string): string => join(run, "checkpoints", `${name}.safetensors`);
    expect(await loadModel(run)).toMatchObject({ file: file("last"), run: null });
    await writeSafetensors(join(run, "config.json"), new Map());
    expect(await loadModel(run)).toMatchObject({ file: file("last"), run });
    await writeSafetensors(file("best"), STUMP, TINY_METADATA);
    expect(await loadModel(run)).toMatchObject({ file: file("best"), run });
    expect(await loadModel(file("last"))).toMatchObject({ file: file("last"), run });
    await rename(file("best"), join(run, "elsewhere.safetensors"));
    expect((await loadModel(join(run, "elsewhere.safetensors"))).run).toBeNull();
  });

  it("takes a checkpoint that says little for the tutorial's, but wants to know the image size", async () => {
    const file = join(await checkpoint({}), "model.safetensors");
    await expect(loadModel(file)).rejects.toThrow(/give it with --image-size, 128 for example/);
    expect(await loadModel(file, { imageSize: 64 })).toMatchObject({
      imageSize: { height: 64, width: 64 },
      classNames: ["class 0", "class 1", "class 2", "class 3", "class 4"],
      encoder: denseNet121,
      decoder: "transpose",
      normalization: "unit",
      precision: "f32",
    });
  });

  it("says in a sentence what is wrong", async () => {
    const refused = (path: string, sentence: RegExp): Promise<void> =>
      expect(loadModel(path)).rejects.toThrow(sentence);
    await refused(
      "nowhere",
      /^There is no model nowhere: give the folder of a run or a model.s file \(\.safetensors, \.h5, \.keras\)\.$/,
    );
    await refused(await folderOf({ "a.txt": "" }), /is not the folder of a run/);
    await refused(await folderOf({ "config.json": "{}" }), /has no checkpoint yet/);
    await refused(join(await folderOf({ "a.safetensors": "x" }), "a.safetensors"), /a\.safetensors/);

    const encoder: NamedTensors = new Map([
      ["conv1/conv/kernel", { shape: [7, 7, 3, 64], data: new Float32Array(7 * 7 * 3 * 64) }],
    ]);
    await refused(join(await checkpoint({}, encoder), "model.safetensors"), /weights of an encoder only/);
    await refused(join(await checkpoint({}, new Map()), "model.safetensors"), /does not hold this network/);
    const many: NamedTensors = new Map([["head/bias", { shape: [300], data: new Float32Array(300) }]]);
    await refused(
      join(await checkpoint({}, many), "model.safetensors"),
      /has 300 classes, and masks can tell 256 apart/,
    );
    const saying = async (metadata: Metadata): Promise<string> =>
      join(await checkpoint({ ...TINY_METADATA, ...metadata }), "model.safetensors");
    await refused(await saying({ image_size: "50" }), /must be a multiple of 32.*\(it is 50\)/);
    await refused(await saying({ classes: '["null"]' }), /does not name its 5 classes/);
    await refused(
      await saying({ classes: '["a","b","c","d","e","f"]' }),
      /does not name its 5 classes, but 6/,
    );
    await refused(
      await saying({ classes: '["a","b","c","d","b"]' }),
      /calls class 4 "b", as class 1 is called/,
    );
    await refused(await saying({ classes: "null, hat" }), /does not name its 5 classes/);
    await refused(
      await saying({ encoder: "vgg16" }),
      /its encoder is "vgg16", which is not known here: densenet121, densenet169/,
    );
    await refused(
      await saying({ decoder: "bicubic" }),
      /has the decoder "bicubic".*transpose, nearest and bilinear/,
    );
    await refused(await saying({ normalization: "bgr" }), /has the normalization "bgr"/);
    await refused(await saying({ precision: "f8" }), /has the precision "f8"/);
  });
});

describe("Predictor", () => {
  const gpu = useGpu();
  let tensors: NamedTensors;
  beforeAll(async () => {
    tensors = await tinyModel(gpu());
  });

  async function tiny(metadata: Metadata = {}, changed = tensors): Promise<Model> {
    const folder = await checkpoint({ ...TINY_METADATA, ...metadata }, changed);
    return loadModel(join(folder, "model.safetensors"));
  }

  it("says at the model's size what the evaluator says, whatever else is in the batch", async () => {
    const folder = await folderOf({
      "images/a.png": await photo(40, 60).png().toBuffer(),
      "images/b.jpg": await photo(70, 50).jpeg().toBuffer(),
      "images/c.png": await photo(32, 32).negate().png().toBuffer(),
      "masks/a.png": await greyPng(40, 60, (x) => x % 5),
      "masks/b.png": await greyPng(70, 50, (x) => x % 5),
      "masks/c.png": await greyPng(32, 32, (x) => x % 5),
    });
    for (const [normalization, image_size] of [
      ["unit", "32"],
      ["imagenet", "32x64"],
    ] as const) {
      const model = await tiny({ normalization, image_size });
      const { imageSize } = model;
      const predictor = await Predictor.create(gpu(), model, { batchSize: 2 });
      const variables = new Variables(gpu());
      const spec = { batchSize: 3, imageSize, classes: 5, momentum: 0.9 };
      const evaluator = await compileEvaluator(gpu(), variables, spec);
      try {
        await restoreWeights(variables, model.file);
        const dataset = await FolderDataset.open(folder, { imageSize, classes: 5 });
        const batches = evaluationBatches(dataset, { batchSize: 3, normalization });
        const options = { classes: 5, size: imageSize, keep: 3 };
        const { predictions } = await evaluate(evaluator, batches, options);
        const photos = await Promise.all(dataset.pairs.map(({ image }) => decodePhoto(image)));
        const logits = [
          ...(await predictor.scores(photos.slice(0, 2))),
          ...(await predictor.scores(photos.slice(2))),
        ];
        expect(logits.map((values) => maskFromLogits(values, imageSize, 5, imageSize))).toEqual(predictions);
        expect(new Set(predictions.flatMap((mask) => [...mask])).size).toBeGreaterThan(2);
      } finally {
        evaluator.destroy();
        variables.destroy();
        predictor.destroy();
      }
    }
  });

  it("does not take a broken network's word for a class", async () => {
    const broken = new Map(tensors).set("head/bias", {
      shape: [5],
      data: Float32Array.of(0, NaN, 0, 0, 0),
    });
    const predictor = await Predictor.create(gpu(), await tiny({}, broken), { batchSize: 1 });
    const black = { width: 32, height: 32, pixels: new Uint8Array(32 * 32 * 3) };
    try {
      await expect(predictor.scores([black])).rejects.toThrow(/gives logits that are not finite numbers/);
    } finally {
      predictor.destroy();
    }
  });

  it("names the tensor that does not fit, and leaves nothing on the device", async () => {
    const before = gpu().bytes;
    const fewer = new Map(tensors);
    fewer.delete("upsample_2/batch_normalization/gamma");
    await expect(Predictor.create(gpu(), await tiny({}, fewer), { batchSize: 1 })).rejects.toThrow(
      /has no tensor "upsample_2\/batch_normalization\/gamma"/,
    );
    await expect(
      Predictor.create(gpu(), await tiny({ decoder: "nearest" }), { batchSize: 1 }),
    ).rejects.toThrow(/model\.safetensors/);
    expect(gpu().bytes).toBe(before);
  });
});
