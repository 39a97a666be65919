import fc from "fast-check";
import { expect, it } from "vitest";
import { applySteps, noAugmentation, randomly } from "../../../src/data/augment.ts";
import { cropsReachOut, randomCrop } from "../../../src/data/augment/random-crop.ts";
import { trainingBatches } from "../../../src/data/batches.ts";
import { IGNORE } from "../../../src/data/dataset.ts";
import type { Sample } from "../../../src/data/dataset.ts";
import { GeneratedDataset } from "../../../src/data/generated-dataset.ts";
import { ignoring } from "../../../src/data/ignoring.ts";
import { Random } from "../../../src/data/random.ts";
import type { Size } from "../../../src/data/resize.ts";

/** A photo whose red is its column and whose green is its row, as shares of 255; the mask is the column. */
const ramp = ({ height, width }: Size): Sample => ({
  ...{ height, width },
  image: Float32Array.from({ length: 3 * height * width }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return [pixel % width, Math.floor(pixel / width), 0][i % 3] / 255;
  }),
  mask: Uint8Array.from({ length: height * width }, (_, pixel) => pixel % width),
});
const once = (size: Size) => ({ size, scale: [1, 1] as const });

it("takes pixels as they are at scale 1, photo and mask alike, from every place", () => {
  const sample = ramp({ height: 20, width: 30 });
  const size = { height: 6, width: 4 };
  const corners = new Set<string>();
  for (let seed = 0; seed < 2000; seed++) {
    const { image, mask, ...shape } = randomCrop(sample, once(size), new Random(seed));
    expect(shape).toEqual(size);
    const [left, top] = [mask[0], Math.round(255 * image[1])];
    corners.add(`${left} ${top}`);
    expect([...mask]).toEqual(Array.from({ length: 24 }, (_, i) => left + (i % 4)));
    const green = [...image].filter((_, i) => i % 3 === 1).map((value) => Math.round(255 * value));
    expect(green).toEqual(Array.from({ length: 24 }, (_, i) => top + Math.floor(i / 4)));
  }
  // 27 columns and 15 rows to begin at.
  expect(corners.size).toBeGreaterThan(395);
  expect(corners.size).toBeLessThanOrEqual(27 * 15);
});

it("is a function of sample, options and random numbers, whose classes were there, and reaches out only where it says so", () => {
  const side = fc.integer({ min: 4, max: 40 });
  const size = fc.record({ height: side, width: side });
  const scale = fc.tuple(
    fc.double({ min: 0.3, max: 1, noNaN: true }),
    fc.double({ min: 1, max: 3, noNaN: true }),
  );
  fc.assert(
    fc.property(size, size, scale, fc.nat(1e6), (of, to, [least, most], seed) => {
      const [sample, options] = [ramp(of), { size: to, scale: [least, most] as const }];
      const result = randomCrop(sample, options, new Random(seed));
      expect(randomCrop(sample, options, new Random(seed))).toEqual(result);
      expect([result.height, result.width]).toEqual([to.height, to.width]);
      expect([result.image.length, result.mask.length]).toEqual([
        3 * to.height * to.width,
        to.height * to.width,
      ]);
      if (!cropsReachOut(options, of)) expect(result.mask).not.toContain(IGNORE);
      result.mask.forEach((label, pixel) => {
        if (label === IGNORE) expect(result.image[3 * pixel]).toBe(Math.fround(114 / 255));
        // Enlarged or not, the photo shows about the column that the mask says.
        else expect(Math.abs(255 * result.image[3 * pixel] - label)).toBeLessThan(1.01);
      });
      expect(result.mask.some((label) => label !== IGNORE)).toBe(true);
    }),
  );
});

it("halves a photo as often as it doubles it", () => {
  const sample = ramp({ height: 64, width: 64 });
  const options = { size: { height: 16, width: 16 }, scale: [0.5, 2] as const };
  let enlarged = 0;
  for (let seed = 0; seed < 400; seed++) {
    const { mask } = randomCrop(sample, options, new Random(seed));
    // How many columns of the photo 16 of the crop span.
    if (mask[15] - mask[0] < 15) enlarged++;
  }
  expect(enlarged).toBeGreaterThan(160);
  expect(enlarged).toBeLessThan(240);
});

it("crops the other sample too before it is mixed in", async () => {
  const sample = ramp({ height: 20, width: 30 });
  const other = { ...sample, image: sample.image.map(() => 1), mask: sample.mask.map(() => 99) };
  const crop = once({ height: 8, width: 8 });
  const sizes = [];
  for (let seed = 0; seed < 10; seed++) {
    const mixed = await applySteps(sample, { crop, names: ["cutmix"], seed }, other);
    sizes.push(mixed.mask.length);
    mixed.mask.forEach((label, pixel) => label === 99 && expect(mixed.image[3 * pixel]).toBe(1));
  }
  expect(new Set(sizes)).toEqual(new Set([64]));
});

it("makes batches of crops, the same ones in worker threads, and says that no two are the same", async () => {
  const people = ignoring(new GeneratedDataset({ size: 5, imageSize: { height: 32, width: 24 } }));
  const size = { height: 16, width: 40 };
  const augment = randomly(["flip_left_right", "cutmix"], undefined, {
    crop: { size, scale: [0.5, 2] },
    reachesOut: true,
  });
  const take = async (workers: number) => {
    const stream = trainingBatches(people, { batchSize: 2, seed: 4, augment, workers });
    const batches = [];
    for (let i = 0; i < 12; i++) {
      const { value } = await stream.next();
      batches.push({ ...value!, images: value!.images.slice(), labels: value!.labels.slice() });
      // The threads take over once they are up.
      if (workers > 0 && i === 2) await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    await stream.return();
    return batches;
  };
  const [alone, threads] = [await take(0), await take(2)];
  expect(threads).toEqual(alone);
  expect(alone[0].labels).toHaveLength(2 * 16 * 40);
  expect(alone.flatMap(({ identities }) => identities)).toEqual(Array(24).fill(null));
  expect(noAugmentation.size).toBeUndefined();
  expect(() =>
    trainingBatches(new GeneratedDataset({ size: 5, imageSize: 32 }), { batchSize: 2, seed: 1, augment }),
  ).toThrow("pixels that do not count");
});
