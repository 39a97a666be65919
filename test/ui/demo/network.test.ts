import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { maskFromLogits } from "../../../src/masks/mask-from-logits.ts";
import { lessonsOf } from "../../../src/ui/demo/lessons.ts";
import type { ModelDescription } from "../../../src/ui/demo/model-description.ts";
import { Network } from "../../../src/ui/demo/network.ts";
import type { Labelling } from "../../../src/ui/demo/network.ts";
import { Painting } from "../../../src/ui/demo/painting.ts";
import type { PagePhoto } from "../../../src/ui/demo/photo.ts";
import { firstPrecision } from "../../../src/ui/demo/precision-choice.ts";
import { loadModel } from "../../../src/use/model.ts";
import { Predictor } from "../../../src/use/predictor.ts";
import { SlidingPredictor } from "../../../src/use/sliding-predictor.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { saveTinyModel, TINY_CLASSES, TINY_METADATA, tinyModel } from "../../train/tiny-model.ts";

vi.mock(import("../../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../../helpers/small-network.ts")).smallUnet(importOriginal),
);

describe("what the page's numbers are stored in at first", () => {
  it("is what the model was trained in, and f32 with the reason where the adapter has no f16", () => {
    expect(firstPrecision("f32", true)).toMatchObject({ precision: "f32" });
    expect(firstPrecision("f16", true)).toMatchObject({ precision: "f16" });
    expect(firstPrecision("f32", false)).toEqual({
      precision: "f32",
      reason: "This adapter has no f16 (the WebGPU feature shader-f16).",
    });
    expect(firstPrecision("f16", false)).toEqual({
      precision: "f32",
      reason: "This adapter has no f16 (the WebGPU feature shader-f16), which the model was trained in.",
    });
  });
});

// No browser without a graphics card has f16, and lavapipe does: the page's network in Node.
describe("the page's network", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();
  const size = { height: 64, width: 32 };
  const model: ModelDescription = {
    name: "tiny",
    ...{ imageSize: size, resize: "stretch" },
    classNames: TINY_CLASSES,
    encoder: "densenet121",
    decoder: "transpose",
    normalization: "unit",
    precision: "f32",
    weightBytes: 0,
  };
  /** What is in it is told by the place of a value. */
  const photoOf = (width: number, height: number, value: (i: number) => number): PagePhoto => ({
    ...{ name: "photo", width, height },
    pixels: Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 255 : value(i))),
  });
  const waves = (i: number): number => 128 + 100 * Math.sin(i / (9 + (i % 4)));
  const small = photoOf(size.width, size.height, (i) => (255 * (i % 97)) / 97);
  let network: Network;
  let full: Uint8Array;
  beforeAll(async () => {
    network = await Network.create(gpu(), model, await tinyModel(gpu()), "f32");
    full = labelsOf(await network.label(small));
  });
  afterAll(() => network.destroy());

  /** At the size at which it was seen. */
  const labelsOf = (labelling: Labelling): Uint8Array =>
    maskFromLogits(labelling.scores, labelling, TINY_CLASSES.length, labelling);
  const agreement = (a: Uint8Array, b: Uint8Array): number =>
    a.filter((label, pixel) => label === b[pixel]).length / a.length;
  /** A photo's pixels without alpha. */
  const rgb = ({ pixels }: PagePhoto): Uint8Array => Uint8Array.from(pixels.filter((_, i) => i % 4 < 3));

  it("labels a photo in windows as npm run predict -- --window does, with what it has learned", async () => {
    const photo = photoOf(70, 41, waves);
    const heard: number[] = [];
    const under = {
      signal: new AbortController().signal,
      onProgress: (done: number) => void heard.push(done),
    };
    const mask = await network.labelInWindows(photo, under);
    const file = temporary("model.safetensors");
    await saveTinyModel(gpu(), file);
    const predictor = await SlidingPredictor.create(gpu(), await loadModel(file), {
      ...{ precision: "f32", window: size, overlap: 0.25, tta: [] },
    });
    const [expected] = await predictor.label([{ ...photo, pixels: rgb(photo) }]);
    predictor.destroy();
    expect(new Set(mask).size).toBeGreaterThan(1);
    expect(mask).toEqual(expected.mask);
    expect(heard).toEqual([3]);

    const painting = new Painting(size);
    painting.begin(3);
    painting.line({ x: 2, y: 2 }, { x: 30, y: 30 }, 20);
    const [lesson] = lessonsOf({ photo: small, labelling: await network.label(small) }, painting, model);
    for (let step = 0; step < 4; step++) await network.fineTune(lesson, 1e-2);
    expect(await network.labelInWindows(photo, under)).not.toEqual(mask);
    network.reset();
    expect(await network.labelInWindows(photo, under)).toEqual(mask);
    const signal = AbortSignal.abort(new Error("Enough."));
    await expect(network.labelInWindows(photo, { ...under, signal })).rejects.toThrow("Enough.");
  });

  it.each([
    ["wide", 70, 41, 5],
    ["high", 41, 170, 3],
  ])(
    "labels the whole of a %s photo as npm run predict does where the network learned from their middles, and learns from all of it",
    async (_, width, height, windows) => {
      const photo = photoOf(width, height, waves);
      const middles: ModelDescription = { ...model, resize: "short-side" };
      const covering = await Network.create(gpu(), middles, await tinyModel(gpu()), "f32");
      const file = temporary("middles.safetensors");
      await saveTinyModel(gpu(), file, { ...TINY_METADATA, image_size: "64x32", resize: "short-side" });
      const predictor = await Predictor.create(gpu(), await loadModel(file), { batchSize: 2 });
      const [expected] = await predictor.label([{ ...photo, pixels: rgb(photo) }]);
      predictor.destroy();
      const labelling = await covering.label(photo);
      const mask = maskFromLogits(labelling.scores, labelling, TINY_CLASSES.length, photo);
      expect(new Set(mask).size).toBeGreaterThan(1);
      expect(mask).toEqual(expected.mask);

      // Both ends of the photo, which the middle leaves out.
      const painting = new Painting({ width: 2 * width, height: 2 * height });
      painting.begin(3);
      painting.line({ x: 1, y: 1 }, { x: 2 * width - 1, y: 2 * height - 1 }, 4);
      const lessons = lessonsOf({ photo, labelling }, painting, middles);
      expect(lessons).toHaveLength(windows);
      const losses: number[] = [];
      for (let step = 0; step < 2; step++) {
        let sum = 0;
        for (const lesson of lessons) sum += await covering.fineTune(lesson, 1e-3);
        losses.push(sum);
      }
      expect(losses[1]).toBeLessThan(losses[0]);
      covering.destroy();
    },
  );

  it("labels in f16 as in f32 but for a few pixels, learns from what it made so, and keeps what it learned", async ({
    skip,
  }) => {
    skip(
      !gpu().features.has("shader-f16"),
      `${gpu().adapterName} has no half-precision numbers (shader-f16).`,
    );
    const before = gpu().bytes;
    await network.setPrecision("f16");
    expect(gpu().bytes).toBeLessThan(before);
    const half = await network.label(small);
    expect(agreement(labelsOf(half), full)).toBeGreaterThan(0.99);
    expect(half.scores.every(Number.isFinite)).toBe(true);

    const painting = new Painting(size);
    painting.begin(3);
    painting.line({ x: 8, y: 8 }, { x: 20, y: 20 }, 6);
    const [lesson] = lessonsOf({ photo: small, labelling: half }, painting, model);
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) losses.push(await network.fineTune(lesson, 1e-3));
    expect(losses.at(-1)).toBeLessThan(losses[0]);

    const taught = await network.label(small);
    expect(taught.scores).not.toEqual(half.scores);
    await network.setPrecision("f32");
    const back = await network.label(small);
    expect(agreement(labelsOf(back), labelsOf(taught))).toBeGreaterThan(0.99);
    network.reset();
    expect(labelsOf(await network.label(small))).toEqual(full);
  });
});
