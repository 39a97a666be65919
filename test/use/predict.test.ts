import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { describe, expect, it, vi } from "vitest";
import { decodeMask } from "../../src/data/mask.ts";
import { decodePhoto } from "../../src/data/photo.ts";
import type { ClassShare } from "../../src/masks/class-shares.ts";
import { maskFromLogits } from "../../src/masks/mask-from-logits.ts";
import type { Size } from "../../src/data/resize.ts";
import { loadModel } from "../../src/use/model.ts";
import type { Model } from "../../src/use/model.ts";
import { predictJobs } from "../../src/use/predict-files.ts";
import { predictPhotos } from "../../src/use/predict.ts";
import { Predictor } from "../../src/use/predictor.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { folderOf, photo } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { TINY_METADATA, tinyModel } from "../train/tiny-model.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

describe("predictPhotos", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();

  it.each([
    [2, "transpose"],
    [150, "nearest"],
    [256, "transpose"],
    [2, "bilinear"],
  ] as const)("writes the classes of a model of %i as they are, decoder %s", async (classes, decoder) => {
    const names = Array.from({ length: classes }, (_, label) => `thing ${label}, "of" ${classes}`);
    const file = temporary(`${decoder}-${classes}.safetensors`);
    await writeSafetensors(file, await tinyModel(gpu(), decoder, classes), {
      ...TINY_METADATA,
      decoder,
      classes: JSON.stringify(names),
    });
    const model = await loadModel(file);
    expect(model.classNames).toEqual(names);
    const out = await folderOf();
    const { jobs } = await predictJobs(await photoFile(), out);
    const predictor = await Predictor.create(gpu(), model, { batchSize: 1 });
    try {
      expect(await predictPhotos(predictor, jobs, { logits: true })).toBe(0);
      const given = await decodePhoto(jobs[0].photo);
      const [logits] = await predictor.scores([given]);
      const expected = maskFromLogits(logits, { width: 32, height: 32 }, classes, given);
      const { labels } = await decodeMask(jobs[0].mask);
      expect(labels).toEqual(expected);
      const seen = new Set(labels);
      expect(seen.size).toBeGreaterThan(Math.min(classes - 1, 20));
      // A byte has room for them all, and the mask is not in colour.
      expect((await sharp(jobs[0].mask).metadata()).space).toBe("b-w");
      if (classes > 128) expect(Math.max(...seen)).toBeGreaterThan(127);

      const report = JSON.parse(await readFile(jobs[0].shares, "utf8")) as { classes: ClassShare[] };
      expect(report.classes.map(({ id }) => id).sort((a, b) => a - b)).toEqual(
        [...seen].sort((a, b) => a - b),
      );
      for (const { id, name, pixels, share } of report.classes) {
        expect(name).toBe(names[id]);
        expect(pixels).toBe(labels.filter((label) => label === id).length);
        expect(share).toBe(pixels / labels.length);
      }
      const { tensors, metadata } = await readSafetensors(jobs[0].logits);
      expect(tensors.get("logits")!.shape).toEqual([32, 32, classes]);
      expect(JSON.parse(metadata.classes)).toEqual(names);
      // However long its legend.
      expect((await sharp(jobs[0].overlay).metadata()).width).toBeGreaterThan(400);
    } finally {
      predictor.destroy();
    }
  });

  it("goes on without a photo that the labeller cannot take, and names it", async () => {
    const { jobs } = await predictJobs(await photoFile(), await folderOf());
    const said: string[] = [];
    const labeller = {
      ...{ photosAtOnce: 1, view: "", bytes: 0, precision: "f32" as const, model: await smallModel() },
      problemOf: ({ height, width }: Size) => `is ${height}×${width}.`,
      label: () => Promise.reject(new Error("It was labelled nevertheless.")),
      destroy: () => {},
    };
    const onBad = (sentence: string): void => void said.push(sentence);
    expect(await predictPhotos(labeller, jobs, { logits: false, onBad })).toBe(1);
    expect(said).toEqual([`${jobs[0].photo} is 44×60.`]);
  });

  async function smallModel(): Promise<Model> {
    const file = temporary("small.safetensors");
    await writeSafetensors(file, await tinyModel(gpu(), "transpose", 2), {
      ...TINY_METADATA,
      decoder: "transpose",
      classes: JSON.stringify(["nothing", "something"]),
    });
    return loadModel(file);
  }

  async function photoFile(): Promise<string> {
    const path = temporary("photo.png");
    await photo(60, 44).png().toFile(path);
    return path;
  }
});
