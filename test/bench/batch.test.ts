import { describe, expect, it } from "vitest";
import { mix, noiseBatch } from "../../bench/step/batch.ts";

describe("the benchmark's batch", () => {
  it("is the one that the PyTorch peer makes", () => {
    // What numpy makes of the same steps in bench/peers/pytorch_unet.py.
    expect([0, 1, 2, 12345, 0x80000000].map(mix)).toEqual([0, 1364076727, 821347078, 1011272156, 1832674720]);
    const { image, labels } = noiseBatch(2, 32, 59);
    expect([1, 2, 6143].map((i) => image[i])).toEqual([
      0.317598819732666, 0.1912347674369812, 0.05313187837600708,
    ]);
    expect([0, 1, 2047].map((i) => labels[i])).toEqual([23, 37, 16]);
  });

  it("fills [0, 1) and every class evenly", () => {
    const { image, labels } = noiseBatch(2, 64, 59);
    expect(image).toHaveLength(2 * 64 * 64 * 3);
    expect(image.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(image.reduce((a, b) => a + b, 0) / image.length).toBeCloseTo(0.5, 1);
    const counts = new Map<number, number>();
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    expect(counts.size).toBe(59);
    expect(Math.max(...counts.values())).toBeLessThan((2 * labels.length) / 59);
  });
});
