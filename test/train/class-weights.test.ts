import { describe, expect, it } from "vitest";
import type { SegmentationDataset } from "../../src/data/dataset.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { classWeights, weightsOf } from "../../src/train/class-weights.ts";

describe("class weights", () => {
  it("are scikit-learn's", () => {
    // compute_class_weight("balanced", classes=[0, 1, 2], y=[0]*6 + [1]*3 + [2]*1) → [0.5556, 1.1111, 3.3333]
    expect([...weightsOf([6, 3, 1], "balanced")]).toEqual([10 / 18, 10 / 9, 10 / 3].map(Math.fround));
  });

  it("have a mean of 1 over the pixels and leave absent classes out", () => {
    for (const kind of ["balanced", "sqrt"] as const) {
      const counts = [900, 0, 90, 10];
      const weights = weightsOf(counts, kind);
      expect(weights[1]).toBe(0);
      const mean = weights.reduce((sum, weight, label) => sum + weight * counts[label], 0) / 1000;
      expect(mean).toBeCloseTo(1, 5);
    }
    const [common, , rare] = weightsOf([900, 0, 9], "sqrt");
    expect(rare / common).toBeCloseTo(10, 4);
  });

  it("are those of ENet", () => {
    const expected = [0.9, 0, 0.1].map((share) => Math.fround(1 / Math.log(1.02 + share)));
    expect([...weightsOf([90, 0, 10], "enet")]).toEqual(expected);
  });

  it("leave out the pixels that do not count", async () => {
    const photos = new GeneratedDataset({ size: 1, imageSize: 32 });
    const { mask, ...sample } = await photos.load(0);
    const marked = mask.map((label, i) => (i < 300 ? 255 : label));
    const { imageSize, classNames, names } = photos;
    const ignoring: SegmentationDataset = {
      ...{ imageSize, classNames, names, ignores: true, size: 1 },
      load: () => Promise.resolve({ ...sample, mask: marked }),
    };
    const counts = new Float64Array(photos.classNames.length);
    for (const label of mask.subarray(300)) counts[label] += 1;
    expect(await classWeights(ignoring, "balanced")).toEqual(weightsOf(counts, "balanced"));
  });

  it("come from the photos' masks", async () => {
    const photos = new GeneratedDataset({ size: 2, imageSize: 32 });
    const counts = new Float64Array(59);
    for (const index of [0, 1]) for (const label of (await photos.load(index)).mask) counts[label] += 1;
    expect(await classWeights(photos, "balanced")).toEqual(weightsOf(counts, "balanced"));
  });
});
