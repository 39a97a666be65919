import { describe, expect, it } from "vitest";
import { learningRateAt } from "../../../src/train/phase/learning-rate.ts";

const rates = (options: Partial<Parameters<typeof learningRateAt>[1]>, steps: number): number[] =>
  Array.from({ length: steps }, (_, step) =>
    learningRateAt(step, { base: 1, schedule: "constant", warmupSteps: 0, steps, ...options }),
  );

describe("learningRateAt", () => {
  it("is constant", () => expect(rates({}, 3)).toEqual([1, 1, 1]));

  it("falls along Keras's CosineDecay", () => {
    const expected = [0, 1, 2, 3].map((step) => 0.5 * (1 + Math.cos((Math.PI * step) / 4)));
    expect(rates({ schedule: "cosine" }, 4)).toEqual(expected);
  });

  it("rises over the warm-up first", () => {
    expect(rates({ warmupSteps: 3 }, 5)).toEqual([0.25, 0.5, 0.75, 1, 1]);
    const cosine = rates({ schedule: "cosine", warmupSteps: 2 }, 6);
    expect(cosine.slice(0, 3)).toEqual([1 / 3, 2 / 3, 1]);
    expect(cosine[5]).toBeCloseTo(0.5 * (1 + Math.cos((3 * Math.PI) / 4)), 12);
  });

  it("stays at 0 past the end", () => {
    expect(learningRateAt(99, { base: 1, schedule: "cosine", warmupSteps: 0, steps: 10 })).toBeCloseTo(0, 12);
  });
});
