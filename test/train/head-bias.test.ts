import { describe, expect, it } from "vitest";
import { biasOfFrequencies } from "../../src/train/head-bias.ts";

describe("biasOfFrequencies", () => {
  it("makes the softmax the classes' shares", () => {
    const bias = biasOfFrequencies([700, 200, 100], null);
    const sum = bias.reduce((total, value) => total + Math.exp(value), 0);
    expect([...bias].map((value) => Math.exp(value) / sum)).toEqual(
      [0.7, 0.2, 0.1].map((share) => expect.closeTo(share, 6) as number),
    );
  });

  it("counts a pixel as often as it weighs", () => {
    expect(biasOfFrequencies([700, 200, 100], Float32Array.of(1, 2, 4))).toEqual(
      biasOfFrequencies([700, 400, 400], null),
    );
  });

  it("leaves classes that do not occur within reach", () => {
    const bias = biasOfFrequencies([1e9, 0, 1], null);
    expect(bias[1]).toBe(bias[2]);
    expect(bias[1]).toBeCloseTo(Math.log(1e-4), 5);
  });
});
