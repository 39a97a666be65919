import { beforeAll, describe, expect, it, vi } from "vitest";
import { toSize } from "../../src/image-size.ts";
import type { ImageSize } from "../../src/image-size.ts";
import { resizeBilinear } from "../../src/data/resize.ts";
import type { Photo } from "../../src/data/photo.ts";
import { loadModel } from "../../src/use/model.ts";
import type { Model } from "../../src/use/model.ts";
import { Predictor } from "../../src/use/predictor.ts";
import { SlidingPredictor } from "../../src/use/sliding-predictor.ts";
import type { SlidingOptions } from "../../src/use/sliding-predictor.ts";
import { viewsOf } from "../../src/use/views.ts";
import { gaussianWeights, windowStarts } from "../../src/use/windows.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { saveTinyModel, TINY_CLASSES } from "../train/tiny-model.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

const CLASSES = TINY_CLASSES.length;

/** Stripes and squares, so that classes change from place to place. */
const picture = (width: number, height: number): Photo => ({
  width,
  height,
  pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    return 128 + 100 * Math.sin(x / (5 + c)) * Math.cos((y * (c + 1)) / 23);
  }),
});

const agreement = (a: Uint8Array, b: Uint8Array): number =>
  a.filter((label, i) => label === b[i]).length / a.length;

describe("SlidingPredictor", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();
  let model: Model;
  beforeAll(async () => {
    const file = temporary("model.safetensors");
    await saveTinyModel(gpu(), file);
    model = await loadModel(file);
  });

  /** What a predictor makes of a photo. */
  async function maskOf(photo: Photo, options: Partial<SlidingOptions>): Promise<Uint8Array> {
    const predictor = await SlidingPredictor.create(gpu(), model, {
      ...{ precision: "f32", window: 32, overlap: 0.25, tta: [], ...options },
    });
    try {
      return (await predictor.label([photo]))[0].mask;
    } finally {
      predictor.destroy();
    }
  }

  it("ends within a photo when it is to stop", async () => {
    const options = { precision: "f32", window: 32, overlap: 0.25, tta: [] } as const;
    const predictor = await SlidingPredictor.create(gpu(), model, options);
    const stop = new AbortController();
    const keep = vi.fn();
    try {
      const labelling = predictor.label([picture(320, 320)], stop.signal).then(keep);
      stop.abort(new Error("enough"));
      await expect(labelling).rejects.toThrow("enough");
      expect(keep).not.toHaveBeenCalled();
    } finally {
      predictor.destroy();
    }
  });

  /** All windows of all views by themselves, each through the predictor of squares, their probabilities added up for the whole photo. */
  async function reference(photo: Photo, { window, overlap, tta }: SlidingOptions): Promise<Uint8Array> {
    const size = toSize(window as ImageSize);
    const sums = new Float64Array(photo.width * photo.height * CLASSES);
    const predictor = await Predictor.create(gpu(), { ...model, imageSize: size }, { batchSize: 1 });
    for (const { scale, flipped } of viewsOf(tta)) {
      const region = { height: Math.round(size.height / scale), width: Math.round(size.width / scale) };
      const [rows, columns] = [gaussianWeights(region.height), gaussianWeights(region.width)];
      for (const top of windowStarts(photo.height, region.height, overlap)) {
        for (const left of windowStarts(photo.width, region.width, overlap)) {
          const at = (x: number, y: number, c: number): number =>
            photo.pixels[
              3 * (Math.min(top + y, photo.height - 1) * photo.width + Math.min(left + x, photo.width - 1)) +
                c
            ];
          const turn = (x: number): number => (flipped ? region.width - 1 - x : x);
          const pixels = Uint8Array.from({ length: region.height * region.width * 3 }, (_, i) =>
            at(turn(Math.floor(i / 3) % region.width), Math.floor(i / 3 / region.width), i % 3),
          );
          const [logits] = await predictor.scores([{ ...region, pixels }]);
          const probabilities = new Float32Array(logits.length);
          for (let first = 0; first < logits.length; first += CLASSES) {
            const own = [...logits.subarray(first, first + CLASSES)].map((value) => Math.exp(value));
            const sum = own.reduce((a, b) => a + b, 0);
            probabilities.set(
              own.map((value) => value / sum),
              first,
            );
          }
          const scores = resizeBilinear(probabilities, size, CLASSES, region);
          for (let y = 0; y < region.height && top + y < photo.height; y++) {
            for (let x = 0; x < region.width && left + x < photo.width; x++) {
              for (let c = 0; c < CLASSES; c++) {
                sums[((top + y) * photo.width + left + x) * CLASSES + c] +=
                  columns[x] * rows[y] * scores[(y * region.width + turn(x)) * CLASSES + c];
              }
            }
          }
        }
      }
    }
    predictor.destroy();
    return Uint8Array.from({ length: photo.width * photo.height }, (_, pixel) => {
      const own = [...sums.subarray(pixel * CLASSES, (pixel + 1) * CLASSES)];
      return own.indexOf(Math.max(...own));
    });
  }

  it.each<[string, Photo, Partial<SlidingOptions>]>([
    ["windows of a batch each", picture(90, 70), {}],
    ["windows three at once", picture(90, 70), { batchSize: 3, overlap: 0.5 }],
    ["a photo smaller than a window", picture(20, 9), {}],
    ["high windows", picture(90, 100), { window: { height: 64, width: 32 } }],
    ["wide windows", picture(90, 70), { window: { height: 32, width: 64 }, tta: ["flips"] }],
    ["mirror images too", picture(50, 40), { tta: ["flips"] }],
    ["three sizes, both ways", picture(70, 50), { tta: ["flips", "scales"], window: 64 }],
  ])("adds up the probabilities of windows: %s", async (_, photo, some) => {
    const options: SlidingOptions = { precision: "f32", window: 32, overlap: 0.25, tta: [], ...some };
    const [mask, expected] = [await maskOf(photo, options), await reference(photo, options)];
    expect(new Set(expected).size).toBeGreaterThan(1);
    // Where two classes are as likely, rounding decides.
    expect(agreement(mask, expected)).toBeGreaterThanOrEqual(0.999);
  });

  it("labels a wide photo in strips as if it were whole", async () => {
    const photo = picture(200, 40);
    const bandBytes = 4 * CLASSES * 32 * 70;
    expect(await maskOf(photo, { bandBytes })).toEqual(await maskOf(photo, {}));
  });

  it("sees a photo whole, of any size", async () => {
    const photo = picture(64, 96);
    const whole = await maskOf(photo, { window: "whole" });
    expect(new Set(whole).size).toBeGreaterThan(1);
    const square = picture(64, 64);
    expect(await maskOf(square, { window: "whole" })).toEqual(await maskOf(square, { window: 64 }));
    const odd = await maskOf(picture(33, 65), { window: "whole" });
    expect(odd.length).toBe(33 * 65);
  });

  it("agrees with the whole photo where windows show as much as the network sees around a pixel", async () => {
    const photo = picture(704, 96);
    const whole = await maskOf(photo, { window: "whole" });
    expect(new Set(whole).size).toBeGreaterThan(1);
    for (const window of [256, { height: 96, width: 256 }])
      expect(agreement(await maskOf(photo, { window, overlap: 0.5 }), whole)).toBeGreaterThanOrEqual(0.999);
  });

  it.each([
    [1, 1],
    [1, 400],
    [400, 1],
  ])("labels a photo of %i×%i", async (width, height) => {
    for (const window of [32, "whole"] as const)
      expect((await maskOf(picture(width, height), { window })).length).toBe(width * height);
  });

  it("says which windows would fit where an adapter cannot hold those asked for", async () => {
    const limit = vi.spyOn(gpu().limits, "maxStorageBufferBindingSize", "get").mockReturnValue(2 ** 20);
    await expect(maskOf(picture(8, 8), { window: 1024 })).rejects.toThrow(
      /^Images of 1024×1024 are too large for .+ \("[\w.]+" [^"]*\d bytes[^"]*\): (\d+)×\1 would fit\.$/,
    );
    const refusal = maskOf(picture(8, 8), { window: { height: 1024, width: 512 } }).catch(String);
    const text = /Images of 1024×512 are too large for .+: (\d+)×(\d+) would fit\.$/;
    const [, height, width] = text.exec(String(await refusal))!;
    expect(Number(height)).toBeGreaterThan(Number(width));
    limit.mockRestore();
  });
});
