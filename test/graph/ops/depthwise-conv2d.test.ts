import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { concat } from "../../../src/graph/ops/concat.ts";
import type { Conv2dOptions } from "../../../src/graph/ops/conv2d.ts";
import { depthwiseConv2d } from "../../../src/graph/ops/depthwise-conv2d.ts";
import { channelMoments } from "../../../src/graph/ops/moments.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import type { KernelFamily } from "../../../src/kernels/tiling.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { RunOpOptions } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

type Size = [height: number, width: number];

function theirs(x: tf.Tensor, kernel: tf.Tensor, { strides, padding }: Conv2dOptions): tf.Tensor {
  const filter = kernel as tf.Tensor4D;
  const steps: Size = typeof strides === "number" ? [strides, strides] : [...strides];
  if (typeof padding === "string") return tf.depthwiseConv2d(x as tf.Tensor4D, filter, steps, padding);
  const { top, bottom, left, right } = padding;
  const padded = tf.pad(x as tf.Tensor4D, [[0, 0], [top, bottom], [left, right], [0, 0]]); // prettier-ignore
  return tf.depthwiseConv2d(padded, filter, steps, "valid");
}

describe("depthwiseConv2d", () => {
  const gpu = useGpu();

  async function compare(
    x: Shape,
    kernel: Size,
    options: Conv2dOptions,
    run: RunOpOptions = {},
  ): Promise<void> {
    const inputs = [randomInput(x, 1), randomInput([...kernel, x[3], 1], 2)];
    const build = (x: Tensor, w: Tensor): Tensor => depthwiseConv2d(x, w, options);
    const graph = new Graph();
    const [input, weights] = inputs.map(({ shape }, i) => graph.input(`${i}`, shape));
    const { data: dy } = randomInput(build(input, weights).shape, 3);
    const expected = tfjsReference((x, w) => theirs(x, w, options), inputs, dy);
    const actual = await runOp(gpu(), build, inputs, dy, run);
    expectClose(actual.y, expected.y, 1e-5, "y");
    expectClose(actual.gradients[0], expected.gradients[0], 1e-5, "dx");
    expectClose(actual.gradients[1], expected.gradients[1], 1e-5, "dw");
  }

  describe.each<KernelFamily>(["register", "workgroup"])("as written for %s", (family) => {
    it.each<[Shape, Size, number, "same" | "valid"]>([
      [[2, 9, 11, 8], [3, 3], 1, "same"],
      [[2, 9, 10, 8], [3, 3], 2, "same"],
      [[1, 20, 7, 12], [5, 5], 1, "valid"],
      [[2, 12, 13, 4], [5, 5], 2, "same"],
      [[2, 6, 5, 7], [3, 3], 1, "valid"],
      [[1, 7, 5, 3], [7, 7], 1, "same"],
      [[2, 11, 9, 3], [7, 7], 2, "same"],
    ])(
      "%j with a kernel %j, strides %i, %s, is tfjs's, and so are its gradients",
      (x, kernel, strides, padding) => compare(x, kernel, { strides, padding }, { family }),
    );

    it("is the same when the batch is cut", () =>
      compare([5, 8, 8, 8], [3, 3], { strides: 1, padding: "same" }, { family, maxBindingBytes: 4096 }));
  });

  it("is tfjs's, and so are its gradients, for whatever fits", async () => {
    const side = fc.nat(2);
    const cases = fc.record({
      // Each of these is a text of its own.
      text: fc.constantFrom<[Size, number | readonly [number, number], 3 | 4]>(
        [[3, 3], 1, 4],
        [[3, 3], 2, 4],
        [[3, 3], 2, 3],
        [[2, 3], [1, 2], 4],
        [[1, 1], 2, 3],
      ),
      images: fc.tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 3, max: 24 }),
        fc.integer({ min: 3, max: 11 }),
      ),
      lanes: fc.integer({ min: 1, max: 5 }),
      padding: fc.oneof(
        fc.constantFrom("same" as const, "valid" as const),
        fc.record({ top: side, bottom: side, left: side, right: side }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({ text: [kernel, strides, lane], images, lanes, padding }) =>
        compare([...images, lane === 3 ? 3 : 4 * lanes], kernel, { strides, padding }),
      ),
      compiledCases(30),
    );
  });

  it.each<KernelFamily>(["register", "workgroup"])(
    "leaves the moments of its result in passing, as written for %s",
    async (family) => {
      const [shape, kernelShape] = [[3, 19, 7, 8], [3, 3, 8, 1]]; // prettier-ignore
      const graph = new Graph();
      const [x, kernel] = [graph.input("x", shape), graph.input("kernel", kernelShape)];
      const y = depthwiseConv2d(x, kernel, { strides: 2, padding: "same" });
      const passing = channelMoments(y);
      // Of a copy nobody knows them.
      const read = channelMoments(scale(y, 1));
      expect(passing.mean.node).toBe(y.node);
      const outputs = { y, ...passing, readMean: read.mean, readVariance: read.variance };
      const feeds = {
        // A mean that is large beside the deviation.
        x: randomInput(shape, 1).data.map((value) => value + 100),
        kernel: randomInput(kernelShape, 2).data.map((value) => 1 + value / 10),
      };
      for (const maxBindingBytes of [undefined, 4 * 19 * 7 * 8]) {
        const program = await compile(gpu(), { outputs, family, maxBindingBytes });
        const result = await program.run(feeds);
        program.destroy();
        expectClose(result.mean, result.readMean, 1e-6);
        expectClose(result.variance, result.readVariance, 1e-4);
      }
    },
  );

  it("refuses a depth multiplier and channels that do not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", [1, 8, 8, 3]);
    const options = { strides: 1, padding: "same" } as const;
    expect(() => depthwiseConv2d(x, graph.input("twice", [3, 3, 3, 2]), options)).toThrow(
      'depthwiseConv2d: the kernel "twice" must be [height, width, channels, 1] and is [3, 3, 3, 2]: a depth multiplier ' +
        "other than 1 is not supported.",
    );
    expect(() => depthwiseConv2d(x, graph.input("kernel", [3, 3, 4, 1]), options)).toThrow(/3 channels/);
    expect(() =>
      depthwiseConv2d(concat([x]), graph.input("large", [9, 9, 3, 1]), { ...options, padding: "valid" }),
    ).toThrow(/does not fit/);
  });
});
