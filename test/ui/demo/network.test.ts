import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { fineTuningTargets } from "../../../src/ui/demo/fine-tuning-targets.ts";
import type { ModelDescription } from "../../../src/ui/demo/model-description.ts";
import { Network } from "../../../src/ui/demo/network.ts";
import { Painting } from "../../../src/ui/demo/painting.ts";
import { firstPrecision } from "../../../src/ui/demo/precision-choice.ts";
import { loadModel } from "../../../src/use/model.ts";
import { SlidingPredictor } from "../../../src/use/sliding-predictor.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { saveTinyModel, TINY_CLASSES, tinyModel } from "../../train/tiny-model.ts";

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
  const image = Float32Array.from({ length: size.height * size.width * 3 }, (_, i) => (i % 97) / 97);
  let network: Network;
  let full: Uint32Array;
  beforeAll(async () => {
    network = await Network.create(gpu(), model, await tinyModel(gpu()), "f32");
    full = (await network.label(image)).labels;
  });
  afterAll(() => network.destroy());

  const agreement = (a: Uint32Array, b: Uint32Array): number =>
    a.filter((label, pixel) => label === b[pixel]).length / a.length;

  it("labels a photo in windows as npm run predict -- --window does, with what it has learned", async () => {
    const [width, height] = [70, 41];
    const pixels = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) =>
      i % 4 === 3 ? 255 : 128 + 100 * Math.sin(i / (9 + (i % 4))),
    );
    const photo = { name: "waves", width, height, pixels };
    const heard: number[] = [];
    const under = {
      signal: new AbortController().signal,
      onProgress: (done: number) => void heard.push(done),
    };
    const mask = await network.labelInWindows(photo, under);
    const file = temporary("model.safetensors");
    await saveTinyModel(gpu(), file);
    const predictor = await SlidingPredictor.create(gpu(), await loadModel(file), {
      ...{ precision: "f32", window: size.height, overlap: 0.25, tta: [] },
    });
    const rgb = Uint8Array.from(pixels.filter((_, i) => i % 4 < 3));
    const [expected] = await predictor.label([{ width, height, pixels: rgb }]);
    predictor.destroy();
    expect(new Set(mask).size).toBeGreaterThan(1);
    expect(mask).toEqual(expected.mask);
    expect(heard).toEqual([2]);

    const painting = new Painting(size);
    painting.begin(3);
    painting.line({ x: 2, y: 2 }, { x: 30, y: 30 }, 20);
    const { labels } = await network.label(image);
    const targets = fineTuningTargets(painting, labels, model.imageSize, TINY_CLASSES.length)!;
    for (let step = 0; step < 4; step++) await network.fineTune(targets, 1e-2);
    expect(await network.labelInWindows(photo, under)).not.toEqual(mask);
    network.reset();
    expect(await network.labelInWindows(photo, under)).toEqual(mask);
    const signal = AbortSignal.abort(new Error("Enough."));
    await expect(network.labelInWindows(photo, { ...under, signal })).rejects.toThrow("Enough.");
  });

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
    const half = await network.label(image);
    expect(agreement(half.labels, full)).toBeGreaterThan(0.99);
    expect(half.logits.every(Number.isFinite)).toBe(true);

    const painting = new Painting(size);
    painting.begin(3);
    painting.line({ x: 8, y: 8 }, { x: 20, y: 20 }, 6);
    const targets = fineTuningTargets(painting, half.labels, size, TINY_CLASSES.length)!;
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) losses.push(await network.fineTune(targets, 1e-3));
    expect(losses.at(-1)).toBeLessThan(losses[0]);

    const taught = await network.label(image);
    expect(taught.logits).not.toEqual(half.logits);
    await network.setPrecision("f32");
    const back = await network.label(image);
    expect(agreement(back.labels, taught.labels)).toBeGreaterThan(0.99);
    network.reset();
    expect((await network.label(image)).labels).toEqual(full);
  });
});
