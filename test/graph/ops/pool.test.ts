import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { averagePool2d, globalAveragePool2d, maxPool2d } from "../../../src/graph/ops/pool.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { pool2dGeometry } from "../../../src/kernels/text/pool2d-geometry.ts";
import type { Pool2dOptions } from "../../../src/kernels/text/pool2d-geometry.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

type Padding = Pool2dOptions["padding"];
type Numeric = { poolSize: [number, number]; strides: [number, number]; padding: Padding };

type Sides = [before: number, after: number];

function pad(x: tf.Tensor, rows: Sides, columns: Sides): tf.Tensor4D {
  return tf.pad(x as tf.Tensor4D, [[0, 0], rows, columns, [0, 0]]);
}

/** Explicit zeros as Keras has them: a layer of their own before a `valid` pooling. */
function padded(x: tf.Tensor, padding: Padding): { x: tf.Tensor4D; mode: "same" | "valid" } {
  if (typeof padding === "string") return { x: x as tf.Tensor4D, mode: padding };
  const { top, bottom, left, right } = padding;
  return { x: pad(x, [top, bottom], [left, right]), mode: "valid" };
}

const pools = {
  max: {
    ours: (options: Pool2dOptions) => (x: Tensor) => maxPool2d(x, options),
    theirs: (options: Numeric) => (input: tf.Tensor) => {
      const { x, mode } = padded(input, options.padding);
      return tf.maxPool(x, options.poolSize, options.strides, mode);
    },
  },
  average: {
    ours: (options: Pool2dOptions) => (x: Tensor) => averagePool2d(x, options),
    theirs: (options: Numeric) => (input: tf.Tensor) => {
      const { poolSize, strides, padding } = options;
      const { x, mode } = padded(input, padding);
      if (mode === "valid") return tf.avgPool(x, poolSize, strides, mode);
      // The gradient of tfjs's `same` divides by the whole window everywhere, unlike its forward and TensorFlow.
      const geometry = pool2dGeometry(x.shape, options);
      const sides = (axis: 0 | 1, extent: number, windows: number, before: number): Sides => {
        const covered = (windows - 1) * strides[axis] + poolSize[axis];
        return [before, Math.max(covered - extent, 0) - before];
      };
      const rows = sides(0, x.shape[1], geometry.outputHeight, geometry.padTop);
      const columns = sides(1, x.shape[2], geometry.outputWidth, geometry.padLeft);
      const mean = (t: tf.Tensor): tf.Tensor => tf.avgPool(pad(t, rows, columns), poolSize, strides, "valid");
      return tf.div(mean(x), mean(tf.onesLike(x)));
    },
  },
};

const padding: fc.Arbitrary<Padding> = fc.oneof(
  fc.constantFrom("same" as const, "valid" as const),
  fc.record({ top: fc.nat(1), bottom: fc.nat(2), left: fc.nat(2), right: fc.nat(1) }),
);

const cases = fc.record({
  shape: fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 3, max: 9 }),
    fc.integer({ min: 3, max: 9 }),
    fc.constantFrom(1, 3, 4, 5, 59, 64),
  ),
  options: fc.record({
    poolSize: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    // Each pair of strides is a shader of its own.
    strides: fc.constantFrom<[number, number]>([1, 1], [2, 2], [3, 2]),
    padding,
  }),
  seed: fc.nat(1000),
  levels: fc.constantFrom(0, 3),
});

describe.each(["max", "average"] as const)("%s pooling", (kind) => {
  const gpu = useGpu();
  const { ours, theirs } = pools[kind];

  async function compare(shape: Shape, options: Numeric, seed: number, levels = 0): Promise<void> {
    const input = randomInput(shape, seed, { levels });
    const outputs = sizeOf(ours(options)(new Graph().input("x", shape)).shape);
    const dy = randomInput([outputs], seed + 1).data;
    const reference = tfjsReference(theirs(options), [input], dy);
    const result = await runOp(gpu(), ours(options), [input], dy);
    expectClose(result.y, reference.y);
    expectClose(result.gradients[0], reference.gradients[0]);
  }

  it("equals tfjs, forward and gradient, ties included", async () => {
    await fc.assert(
      fc.asyncProperty(cases, ({ shape, options, seed, levels }) => compare(shape, options, seed, levels)),
      compiledCases(30),
    );
  });

  it("equals tfjs as DenseNet121 uses it", async () => {
    const ones = { top: 1, bottom: 1, left: 1, right: 1 };
    await compare([2, 16, 16, 64], { poolSize: [3, 3], strides: [2, 2], padding: ones }, 1);
    await compare([2, 8, 8, 128], { poolSize: [2, 2], strides: [2, 2], padding: "valid" }, 2);
  });

  it("gives the same in pieces along the batch", async () => {
    const input = randomInput([5, 8, 8, 64], 3);
    const options = { poolSize: 3, strides: 2, padding: "same" } as const;
    const dy = randomInput([5 * 4 * 4 * 64], 4).data;
    const whole = await runOp(gpu(), ours(options), [input], dy);
    const cut = await runOp(gpu(), ours(options), [input], dy, { maxBindingBytes: 2 * 8 * 8 * 64 * 4 });
    expect(cut).toEqual(whole);
  });

  it("refuses what is no image", () => {
    const vector = new Graph().input("x", [2, 3]);
    const options = { poolSize: 2, strides: 2, padding: "valid" } as const;
    expect(() => ours(options)(vector)).toThrow(
      "Pooling takes images [N, H, W, C] and was given the shape [2, 3].",
    );
  });
});

describe("max pooling", () => {
  const gpu = useGpu();
  const explicit = { top: 1, bottom: 1, left: 1, right: 1 };

  it("lets explicit zeros win over negative pixels, and no gradient flows to them", async () => {
    const input = { shape: [1, 2, 2, 1], data: Float32Array.of(-1, -2, -3, -4) };
    const dy = Float32Array.of(1, 10, 100, 1000);
    const zeros = { poolSize: 2, strides: 2, padding: explicit } as const;
    const result = await runOp(gpu(), (x) => maxPool2d(x, zeros), [input], dy);
    expect(result.y).toEqual(Float32Array.of(0, 0, 0, 0));
    expect(result.gradients[0]).toEqual(Float32Array.of(0, 0, 0, 0));
    const same = { poolSize: 3, strides: 1, padding: "same" } as const;
    const inside = await runOp(gpu(), (x) => maxPool2d(x, same), [input], dy);
    expect(inside.y).toEqual(Float32Array.of(-1, -1, -1, -1));
    expect(inside.gradients[0]).toEqual(Float32Array.of(1111, 0, 0, 0));
  });
});

describe("average pooling", () => {
  const gpu = useGpu();

  it("counts only the pixels inside the image with `same`, as tfjs does forward", async () => {
    const input = randomInput([2, 7, 6, 5], 7);
    const theirs = tf.tidy(() => tf.avgPool(tf.tensor4d(input.data, [2, 7, 6, 5]), 3, 2, "same").dataSync());
    const options = { poolSize: 3, strides: 2, padding: "same" } as const;
    const { y } = await runOp(gpu(), (x) => averagePool2d(x, options), [input], randomInput([120], 8).data);
    expectClose(y, theirs);
  });
});

describe("global average pooling", () => {
  const gpu = useGpu();

  // One part an image, several, and so many that they are merged twice.
  it.each([[[2, 4, 4, 64]], [[3, 7, 5, 5]], [[1, 1, 1, 3]], [[64, 8, 8, 4]], [[1, 34, 31, 4]]])(
    "equals tfjs on %j",
    async (shape) => {
      const input = randomInput(shape, 5);
      const dy = randomInput([shape[0] * shape[3]], 6).data;
      const reference = tfjsReference((x) => tf.mean(x, [1, 2]), [input], dy);
      for (const family of ["register", "workgroup"] as const) {
        const options = { family, maxBindingBytes: shape[0] === 64 ? 16 * 4 ** 5 : undefined };
        const result = await runOp(gpu(), globalAveragePool2d, [input], dy, options);
        expectClose(result.y, reference.y);
        expectClose(result.gradients[0], reference.gradients[0]);
      }
    },
  );

  it("makes [N, C] of images and of nothing else", () => {
    expect(globalAveragePool2d(new Graph().input("x", [2, 4, 3, 5])).shape).toEqual([2, 5]);
    expect(() => globalAveragePool2d(new Graph().input("x", [2, 4]))).toThrow(
      'globalAveragePool2d takes images [N, H, W, C]; "x" is [2, 4].',
    );
  });
});
