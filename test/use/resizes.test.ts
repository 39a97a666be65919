import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Photo } from "../../src/data/photo.ts";
import type { Resize } from "../../src/data/resizes.ts";
import { maskFromLogits } from "../../src/masks/mask-from-logits.ts";
import { loadModel } from "../../src/use/model.ts";
import type { Model } from "../../src/use/model.ts";
import { Predictor } from "../../src/use/predictor.ts";
import type { PredictorOptions } from "../../src/use/predictor.ts";
import { gaussianWeights } from "../../src/use/windows.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";
import { saveTinyModel, TINY_CLASSES, TINY_METADATA } from "../train/tiny-model.ts";

const CLASSES = TINY_CLASSES.length;

/** Noise, `[height, width]`. */
const noise = (height: number, width: number): Photo => ({
  ...{ height, width },
  pixels: Uint8Array.from({ length: 3 * height * width }, (_, i) => Math.imul(i + 1, 0x9e3779b9) >>> 24),
});

/** The columns from `left` on. */
function columns({ height, width, pixels }: Photo, left: number, count: number): Photo {
  const part = new Uint8Array(3 * height * count);
  for (let y = 0; y < height; y++) {
    const begin = 3 * (y * width + left);
    part.set(pixels.subarray(begin, begin + 3 * count), 3 * y * count);
  }
  return { height, width: count, pixels: part };
}

function probabilities(logits: Float32Array): Float32Array {
  const result = new Float32Array(logits.length);
  for (let first = 0; first < logits.length; first += CLASSES) {
    const own = [...logits.subarray(first, first + CLASSES)].map(Math.exp);
    const sum = own.reduce((a, b) => a + b, 0);
    own.forEach((value, c) => (result[first + c] = value / sum));
  }
  return result;
}

describe("a network whose photos kept their proportions", () => {
  const gpu = useGpu();
  let folder: string;
  let stretched: Model;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-resizes-"));
    const file = join(folder, "model.safetensors");
    await saveTinyModel(gpu(), file, { ...TINY_METADATA, image_size: "32" });
    stretched = await loadModel(file);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function using<T>(
    resize: Resize,
    work: (predictor: Predictor) => Promise<T>,
    options: PredictorOptions = { batchSize: 2 },
  ): Promise<T> {
    const predictor = await Predictor.create(gpu(), { ...stretched, resize }, options);
    try {
      return await work(predictor);
    } finally {
      predictor.destroy();
    }
  }

  it("sees a letterboxed photo in the middle of grey, and its scores are of the photo alone", async () => {
    const photo = noise(32, 16);
    const boxed = { width: 32, height: 32, pixels: new Uint8Array(3 * 32 * 32).fill(114) };
    for (let y = 0; y < 32; y++)
      boxed.pixels.set(photo.pixels.subarray(48 * y, 48 * (y + 1)), 3 * (32 * y + 8));
    const [whole] = await using("stretch", (predictor) => predictor.scores([boxed]));
    const inside = Float32Array.from({ length: 32 * 16 * CLASSES }, (_, i) => {
      const pixel = Math.floor(i / CLASSES);
      return whole[(Math.floor(pixel / 16) * 32 + 8 + (pixel % 16)) * CLASSES + (i % CLASSES)];
    });
    const [scores, [labelled]] = await using("letterbox", async (predictor) => [
      (await predictor.scores([photo]))[0],
      await predictor.label([photo]),
    ]);
    expectClose(scores, inside, 1e-5);
    expect(labelled.mask).toEqual(maskFromLogits(scores, photo, CLASSES, photo));
    expect(new Set(labelled.mask).size).toBeGreaterThan(1);
    // What the network said is told whole.
    expect(labelled.logits).toHaveLength(32 * 32 * CLASSES);
  });

  it("labels the whole of a wide photo in windows, and not only its middle", async () => {
    const photo = noise(32, 56);
    const windows = await using("stretch", (predictor) =>
      predictor.scores([columns(photo, 0, 32), columns(photo, 24, 32)]),
    );
    const [left, right] = windows.map(probabilities);
    const weights = gaussianWeights(32);
    const mean = Float32Array.from({ length: 32 * 56 * CLASSES }, (_, i) => {
      const [pixel, c] = [Math.floor(i / CLASSES), i % CLASSES];
      const [x, y] = [pixel % 56, Math.floor(pixel / 56)];
      let [sum, weight] = [0, 0];
      for (const [scores, first] of [
        [left, 0],
        [right, 24],
      ] as const) {
        if (x < first || x >= first + 32) continue;
        weight += weights[x - first];
        sum += weights[x - first] * scores[(y * 32 + x - first) * CLASSES + c];
      }
      return sum / weight;
    });
    const [scores, [labelled]] = await using("short-side", async (predictor) => [
      (await predictor.scores([photo]))[0],
      await predictor.label([photo]),
    ]);
    expectClose(scores, mean, 1e-4);
    expect(labelled.mask).toEqual(maskFromLogits(scores, photo, CLASSES, photo));
    expect(labelled.logits).toBeNull();
  });

  it("refuses a photo whose scores could not be held, before anything is allocated", async () => {
    const thread = { width: 1, height: 200_000, pixels: new Uint8Array(3 * 200_000) };
    const problem = await using("short-side", async (predictor) => {
      await expect(predictor.label([thread])).rejects.toThrow(/^The photo is too long and narrow/);
      expect(predictor.problemOf(noise(32, 56))).toBeNull();
      return predictor.problemOf(thread);
    });
    const bytes = 4 * CLASSES * 32 * 32 * 200_000;
    expect(problem).toBe(
      "is too long and narrow: to cover 32×32 its 200000×1 pixels become 6400000×32, and their scores would take " +
        `${(bytes / 2 ** 30).toFixed(1)} GB: crop it.`,
    );
    expect(await using("letterbox", (predictor) => Promise.resolve(predictor.problemOf(thread)))).toBeNull();
  });

  it.each(["letterbox", "short-side"] as const)("averages its views of a photo (%s)", async (resize) => {
    const photo = noise(40, 90);
    const tta = ["flips", "scales"] as const;
    const [mask, [scores]] = await using(
      resize,
      async (predictor) => [(await predictor.label([photo]))[0].mask, await predictor.scores([photo])],
      { batchSize: 2, tta },
    );
    expect(mask).toHaveLength(40 * 90);
    for (let first = 0; first < scores.length; first += CLASSES) {
      const sum = scores.subarray(first, first + CLASSES).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(1, 4);
    }
  });
});
