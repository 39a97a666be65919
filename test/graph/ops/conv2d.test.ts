import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { concat } from "../../../src/graph/ops/concat.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { conv2dTranspose } from "../../../src/graph/ops/conv2d-transpose.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

/** x, kernel, strides, padding */
type Case = [Shape, Shape, number, "same" | "valid"];

describe("conv2d", () => {
  const gpu = useGpu();

  async function compare([x, kernel, strides, padding]: Case, maxBindingBytes?: number): Promise<void> {
    const inputs = [randomInput(x, 1), randomInput(kernel, 2)];
    const graph = new Graph();
    const y = conv2d(graph.input("x", x), graph.input("kernel", kernel), { strides, padding });
    const { data: dy } = randomInput(y.shape, 3);
    const actual = await runOp(gpu(), (x, k) => conv2d(x, k, { strides, padding }), inputs, dy, {
      maxBindingBytes,
    });
    const reference = (x: tf.Tensor, k: tf.Tensor): tf.Tensor =>
      tf.conv2d(x as tf.Tensor4D, k as tf.Tensor4D, strides, padding);
    const expected = tfjsReference(reference, inputs, dy);
    expectClose(actual.y, expected.y);
    expectClose(actual.gradients[0], expected.gradients[0]);
    expectClose(actual.gradients[1], expected.gradients[1]);
  }

  it.each<Case>([
    [[2, 8, 8, 16], [1, 1, 16, 32], 1, "valid"],
    [[2, 7, 9, 12], [3, 3, 12, 8], 1, "same"],
    [[1, 10, 10, 3], [7, 7, 3, 5], 2, "same"],
    [[3, 6, 5, 4], [2, 3, 4, 6], 2, "valid"],
    // Halves of a factorized 7×7, as InceptionV3 has them, and of a 3×3.
    [[2, 5, 9, 4], [1, 7, 4, 8], 1, "same"],
    [[2, 9, 5, 5], [7, 1, 5, 3], 1, "same"],
    [[1, 7, 9, 3], [1, 3, 3, 8], 2, "same"],
    [[2, 9, 7, 4], [5, 5, 4, 4], 2, "same"],
    [[1, 9, 11, 3], [7, 1, 3, 4], 2, "valid"],
  ])("is tfjs's for %j with a kernel %j, strides %i, %s, and so are its gradients", (...args) =>
    compare(args),
  );

  it("is the same when the batch is cut", () => compare([[5, 8, 8, 8], [3, 3, 8, 8], 1, "same"], 8192));

  it("refuses channels that do not fit", () => {
    const graph = new Graph();
    const kernel = graph.input("kernel", [3, 3, 4, 8]);
    expect(() => conv2d(graph.input("x", [1, 8, 8, 3]), kernel, { strides: 1, padding: "same" })).toThrow(
      /3 channels/,
    );
  });
});

describe("conv2dTranspose", () => {
  const gpu = useGpu();

  async function compare([x, kernel, strides, padding]: Case, maxBindingBytes?: number): Promise<void> {
    const inputs = [randomInput(x, 1), randomInput(kernel, 2)];
    const graph = new Graph();
    const y = conv2dTranspose(graph.input("x", x), graph.input("kernel", kernel), { strides, padding });
    const { data: dy } = randomInput(y.shape, 3);
    expect(dy.length).toBe(sizeOf(y.shape));
    const build = (x: Tensor, k: Tensor): Tensor => conv2dTranspose(x, k, { strides, padding });
    const actual = await runOp(gpu(), build, inputs, dy, { maxBindingBytes });
    const shape = y.shape as [number, number, number, number];
    const reference = (x: tf.Tensor, k: tf.Tensor): tf.Tensor =>
      tf.conv2dTranspose(x as tf.Tensor4D, k as tf.Tensor4D, shape, strides, padding);
    const expected = tfjsReference(reference, inputs, dy);
    expectClose(actual.y, expected.y);
    expectClose(actual.gradients[0], expected.gradients[0]);
    expectClose(actual.gradients[1], expected.gradients[1]);
  }

  it.each<Case>([
    [[2, 4, 4, 8], [3, 3, 12, 8], 2, "same"],
    [[1, 5, 3, 16], [3, 3, 59, 16], 2, "same"],
    [[2, 3, 4, 5], [2, 2, 3, 5], 2, "valid"],
    [[1, 4, 4, 4], [3, 3, 4, 4], 1, "same"],
  ])("is tfjs's for %j with a kernel %j, strides %i, %s, and so are its gradients", (...args) =>
    compare(args),
  );

  it("has rows and columns more where it is asked for them, zeros where no pixel reaches", async () => {
    const inputs = [randomInput([2, 3, 4, 4], 1), randomInput([3, 3, 8, 4], 2)];
    const { data: dy } = randomInput([2, 10, 11, 8], 3);
    const more = (x: Tensor, k: Tensor): Tensor =>
      conv2dTranspose(x, k, { strides: 2, padding: "valid", outputPadding: [3, 2] });
    // Zeros around what the reference has of them.
    const reference = (x: tf.Tensor, k: tf.Tensor): tf.Tensor => {
      const y = tf.conv2dTranspose(x as tf.Tensor4D, k as tf.Tensor4D, [2, 7, 9, 8], 2, "valid");
      return tf.pad(y, [[0, 0], [0, 3], [0, 2], [0, 0]]); // prettier-ignore
    };
    const expected = tfjsReference(reference, inputs, dy);
    const actual = await runOp(gpu(), more, inputs, dy);
    expectClose(actual.y, expected.y);
    expected.gradients.forEach((gradient, i) => expectClose(actual.gradients[i], gradient));
  });

  it.each([
    { channels: [8, 12], filters: 20, maxBindingBytes: undefined },
    { channels: [64, 36], filters: 59, maxBindingBytes: undefined },
    { channels: [5, 3], filters: 4, maxBindingBytes: undefined },
    { channels: [8, 4], filters: 8, maxBindingBytes: 8192 },
  ])(
    "takes two tensors of $channels channels for one",
    async ({ channels: [first, second], filters, maxBindingBytes }) => {
      const shape = [5, 4, 3];
      const kernelShape = [3, 3, filters, first + second];
      const inputs = [[...shape, first], [...shape, second], kernelShape].map((s, i) => randomInput(s, i));
      const { data: dy } = randomInput([5, 8, 6, filters], 3);
      const options = { strides: 2, padding: "same" } as const;
      const joined = (a: Tensor, b: Tensor, kernel: Tensor): Tensor =>
        conv2dTranspose([a, b], kernel, options);
      const whole = (a: Tensor, b: Tensor, kernel: Tensor): Tensor =>
        conv2dTranspose(concat([a, b]), kernel, options);
      const expected = await runOp(gpu(), whole, inputs, dy);
      for (const family of ["register", "workgroup"] as const) {
        const actual = await runOp(gpu(), joined, inputs, dy, { maxBindingBytes, family });
        expectClose(actual.y, expected.y);
        expected.gradients.forEach((gradient, i) => expectClose(actual.gradients[i], gradient!));
      }
    },
  );

  it("computes the gradient of the first of two tensors alone where nobody wants the other's", async () => {
    const shapes = [
      [2, 4, 3, 8],
      [2, 4, 3, 12],
      [3, 3, 20, 20],
    ];
    const inputs = shapes.map((shape, i) => randomInput(shape, i));
    const { data: dy } = randomInput([2, 8, 6, 20], 3);
    const options = { strides: 2, padding: "same" } as const;
    const whole = (a: Tensor, b: Tensor, kernel: Tensor): Tensor =>
      conv2dTranspose(concat([a, b]), kernel, options);
    const expected = await runOp(gpu(), whole, inputs, dy);
    for (const family of ["register", "workgroup"] as const) {
      const first = (a: Tensor, kernel: Tensor): Tensor => {
        const b = a.graph.parameter("b", shapes[1], () => inputs[1].data, {
          trainable: false,
        });
        return conv2dTranspose([a, b], kernel, options);
      };
      const actual = await runOp(gpu(), first, [inputs[0], inputs[2]], dy, { family });
      expectClose(actual.y, expected.y);
      expectClose(actual.gradients[0], expected.gradients[0]!);
      expectClose(actual.gradients[1], expected.gradients[2]!);
    }
  });

  it("refuses two tensors of different extents", () => {
    const graph = new Graph();
    const [a, b] = [graph.input("a", [1, 8, 8, 4]), graph.input("b", [1, 8, 4, 4])];
    const kernel = graph.input("kernel", [3, 3, 4, 8]);
    expect(() => conv2dTranspose([a, b], kernel, { strides: 2, padding: "same" })).toThrow(
      /differ in another axis/,
    );
  });

  it("is the same when the batch is cut", () => compare([[5, 4, 4, 8], [3, 3, 8, 8], 2, "same"], 8192));

  it("refuses channels that do not fit", () => {
    const graph = new Graph();
    const kernel = graph.input("kernel", [3, 3, 4, 8]);
    const x = graph.input("x", [1, 8, 8, 3]);
    expect(() => conv2dTranspose(x, kernel, { strides: 2, padding: "same" })).toThrow(/do not fit/);
  });
});
