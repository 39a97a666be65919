import { describe, expect, it } from "vitest";
import * as initializers from "../../src/graph/initializers.ts";
import type { Initializer } from "../../src/graph/initializers.ts";

const { seededRandom } = initializers;
const draw = (initializer: Initializer, shape: number[], name = "kernel"): Float32Array =>
  initializer(shape, seededRandom(1, name));

/** Standard deviation, mean and largest magnitude. */
function momentsOf(values: Float32Array): { mean: number; deviation: number; largest: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return {
    mean,
    deviation: Math.sqrt(square),
    largest: values.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
  };
}

/** Of a kernel [3, 3, 40, 60]: fan in 360, fan out 540. */
const KERNEL = [3, 3, 40, 60];

describe("initializers", () => {
  // Keras: limits √(3·variance), deviations √variance / 0.8796 before what is beyond two of them is drawn again.
  it.each([
    ["glorotUniform", initializers.glorotUniform, 1 / 450, Math.sqrt(6 / 900)],
    ["glorotNormal", initializers.glorotNormal, 1 / 450, (2 * Math.sqrt(1 / 450)) / 0.8796],
    ["heUniform", initializers.heUniform, 2 / 360, Math.sqrt(6 / 360)],
    ["heNormal", initializers.heNormal, 2 / 360, (2 * Math.sqrt(2 / 360)) / 0.8796],
    ["lecunUniform", initializers.lecunUniform, 1 / 360, Math.sqrt(3 / 360)],
    ["lecunNormal", initializers.lecunNormal, 1 / 360, (2 * Math.sqrt(1 / 360)) / 0.8796],
    ["randomUniform", initializers.randomUniform(-0.3, 0.3), 0.03, 0.3],
    ["truncatedNormal", initializers.truncatedNormal(0.2), (0.2 * 0.87962566) ** 2, 0.4],
  ] as [string, Initializer, number, number][])(
    "%s has Keras's variance and reaches no further",
    (_, initializer, variance, limit) => {
      const { mean, deviation, largest } = momentsOf(draw(initializer, KERNEL));
      expect(Math.abs(mean)).toBeLessThan(0.01 * Math.sqrt(variance) * 2);
      expect(deviation / Math.sqrt(variance)).toBeCloseTo(1, 1.5);
      expect(largest).toBeLessThanOrEqual(limit * 1.0001);
      expect(largest).toBeGreaterThan(limit * 0.99);
    },
  );

  it("randomNormal reaches beyond two deviations, and takes Keras's by default", () => {
    const { deviation, largest } = momentsOf(draw(initializers.randomNormal(), KERNEL));
    expect(deviation).toBeCloseTo(0.05, 3);
    expect(largest).toBeGreaterThan(0.15);
  });

  it("varianceScaling takes the fan that it is told, of vectors and scalars too", () => {
    const { varianceScaling } = initializers;
    const out = draw(varianceScaling({ scale: 3, mode: "fanOut", distribution: "normal" }), KERNEL);
    expect(momentsOf(out).deviation).toBeCloseTo(Math.sqrt(3 / 540), 3);
    expect(momentsOf(draw(varianceScaling(), [1000])).deviation).toBeCloseTo(Math.sqrt(1 / 1000), 2);
    expect(draw(varianceScaling(), [])).toHaveLength(1);
  });

  it.each([[[3, 3, 4, 5]], [[6, 20]], [[8, 8]], [[1, 3]]])("orthogonal is so at %j", (shape) => {
    const values = draw(initializers.orthogonal(2), shape);
    const columns = shape.at(-1)!;
    const rows = values.length / columns;
    const tall = rows >= columns;
    const [count, length] = tall ? [columns, rows] : [rows, columns];
    const at = (vector: number, i: number): number =>
      tall ? values[i * columns + vector] : values[vector * columns + i];
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        let product = 0;
        for (let i = 0; i < length; i++) product += at(a, i) * at(b, i);
        expect(product).toBeCloseTo(a === b ? 4 : 0, 5);
      }
    }
  });

  it("orthogonal refuses a vector", () => {
    expect(() => draw(initializers.orthogonal(), [3])).toThrow(
      "orthogonal makes matrices; the shape [3] has fewer than two axes.",
    );
  });

  it("give the same numbers for the same seed and name, others for others", () => {
    expect(draw(initializers.heNormal, [4, 4])).toEqual(draw(initializers.heNormal, [4, 4]));
    expect(draw(initializers.heNormal, [4, 4], "other")).not.toEqual(draw(initializers.heNormal, [4, 4]));
  });
});
