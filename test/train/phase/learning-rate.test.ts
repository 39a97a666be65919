import { describe, expect, it } from "vitest";
import { learningRateAt, learningRateText } from "../../../src/train/phase/learning-rate.ts";

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

  it("falls along PyTorch's PolynomialLR", () => {
    // torch.optim.lr_scheduler.PolynomialLR multiplies by a factor a step.
    let rate = 1;
    const torch = [0, 1, 2, 3, 4].map((step) => {
      if (step > 0) rate *= ((1 - step / 5) / (1 - (step - 1) / 5)) ** 0.9;
      return rate;
    });
    rates({ schedule: "poly" }, 5).forEach((own, step) => expect(own).toBeCloseTo(torch[step], 12));
    const warmed = rates({ schedule: "poly", warmupSteps: 2 }, 7);
    expect(warmed.slice(0, 2)).toEqual([1 / 3, 2 / 3]);
    expect(warmed.slice(2)).toEqual(rates({ schedule: "poly" }, 5));
  });

  it.each([1, 2, 3, 4, 10, 100, 240])("rises and falls along PyTorch's OneCycleLR (%i steps)", (steps) => {
    // As torch.optim.lr_scheduler.OneCycleLR computes it, with its defaults and max_lr 0.1.
    const max = 0.1;
    const initial = max / 25;
    const phases = [
      { end: 0.3 * steps - 1, from: initial, to: max },
      { end: steps - 1, from: max, to: initial / 1e4 },
    ];
    const anneal = (from: number, to: number, share: number): number =>
      to + ((from - to) / 2) * (Math.cos(Math.PI * share) + 1);
    const torch = Array.from({ length: steps }, (_, step) => {
      let start = 0;
      for (const [i, { end, from, to }] of phases.entries()) {
        if (step <= end || i === 1) return anneal(from, to, (step - start) / (end - start));
        start = end;
      }
      return NaN;
    });
    const own = rates({ base: max, schedule: "one-cycle" }, steps);
    own.forEach((rate, step) => expect(Math.abs(rate - torch[step])).toBeLessThan(1e-12 * max));
    expect(Math.max(...own)).toBeLessThanOrEqual(max);
  });

  it.each(["cosine", "poly", "one-cycle"] as const)("stays at its end past it (%s)", (schedule) => {
    const options = { base: 1, schedule, warmupSteps: 0, steps: 10 };
    expect(learningRateAt(99, options)).toBeCloseTo(schedule === "one-cycle" ? 4e-6 : 0, 12);
  });

  it("is told in a line", () => {
    const text = (schedule: "constant" | "cosine" | "poly" | "one-cycle") =>
      learningRateText({ base: 0.01, schedule, warmupSteps: 0, steps: 100 });
    expect(text("constant")).toBe("0.01");
    expect(text("cosine")).toBe("0.01 falling to 0.0000025");
    expect(text("poly")).toBe("0.01 falling to 0.00016");
    expect(text("one-cycle")).toBe("rising from 0.00040 to 0.01 and falling to 4.0e-8");
  });
});
