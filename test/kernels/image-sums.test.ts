import { describe, expect, it } from "vitest";
import { sumOverPixels } from "../../src/kernels/image-sums.ts";
import type { PassedBackThrough } from "../../src/kernels/image-sums.ts";
import { imageWalk } from "../../src/kernels/text/image-walk.ts";
import { expectClose } from "../helpers/close.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { paperTarget } from "../helpers/target.ts";
import { randomInput } from "../helpers/tfjs-reference.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The derivative by the input, from the input or from the output. */
const CASES: readonly (PassedBackThrough & { channels: number; derivative: (kept: number) => number })[] = [
  { activation: "sigmoid", kept: "output", channels: 8, derivative: (y) => y * (1 - y) },
  { activation: "sigmoid", kept: "input", channels: 3, derivative: (x) => sigmoid(x) * sigmoid(-x) },
  {
    ...{ activation: "swish", kept: "input", channels: 5 },
    derivative: (x) => sigmoid(x) * (1 + x * sigmoid(-x)),
  },
];

describe("sumOverPixels", () => {
  const gpu = useGpu();

  it.each(CASES)(
    "passes the sums of products back through a $activation, from its $kept, in $channels channels",
    async ({ channels, derivative, ...back }) => {
      const [batch, pixels] = [3, 21];
      const walk = imageWalk(paperTarget, { batch, pixels, channels }, 1);
      const [x, factor] = [1, 2].map((seed) => randomInput([batch, pixels, channels], seed).data);
      const kept = randomInput([batch, channels], 3).data;
      const kernel = sumOverPixels(walk, { scale: 0.5, product: true, back });
      const { y } = await runKernels(gpu(), [kernel], { x, factor, kept, y: batch * channels }, ["y"]);
      const expected = new Float32Array(batch * channels);
      x.forEach((value, i) => {
        const image = Math.floor(i / (pixels * channels));
        expected[image * channels + (i % channels)] += 0.5 * value * factor[i];
      });
      expectClose(
        y,
        expected.map((sum, i) => sum * derivative(kept[i])),
      );
    },
  );

  it("binds nothing more where it passes nothing back", () => {
    const walk = imageWalk(paperTarget, { batch: 1, pixels: 4, channels: 4 }, 1);
    expect(sumOverPixels(walk).bindings.map(({ name }) => name)).toEqual(["x", "y"]);
  });
});
