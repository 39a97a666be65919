import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { concat } from "../../../src/graph/ops/concat.ts";
import { standardize } from "../../../src/graph/ops/standardize.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();
const EPSILON = 1e-3;

describe("standardize", () => {
  it.each<{ shape: Shape; maxBindingBytes?: number }>([
    { shape: [2, 6, 4, 4] },
    { shape: [3, 7, 5, 3] },
    { shape: [40, 12] },
    { shape: [2, 3, 5, 130] },
    { shape: [5, 8, 8, 16], maxBindingBytes: 8192 },
  ])("of $shape is that of tfjs, with its gradient", async ({ shape, maxBindingBytes }) => {
    const x = randomInput(shape, 1);
    x.data.forEach((value, i) => (x.data[i] = 3 + 2 * value));
    const { data: dy } = randomInput(shape, 2);
    const theirs = (x: tf.Tensor): tf.Tensor => {
      const { mean, variance } = tf.moments(
        x,
        shape.slice(0, -1).map((_, axis) => axis),
      );
      return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON)));
    };
    const expected = tfjsReference(theirs, [x], dy);
    const actual = await runOp(gpu(), (x) => standardize(x, EPSILON), [x], dy, { maxBindingBytes });
    expectClose(actual.y, expected.y);
    expectClose(actual.gradients[0], expected.gradients[0]);
  });

  it("has the gradient of finite differences", async () => {
    const [channels, rows] = [5, 24];
    const x = randomInput([2, 3, 4, channels], 1);
    const { data: dy } = randomInput(x.shape, 2);
    const reference = (values: ArrayLike<number>): Float64Array => {
      const mean = new Float64Array(channels);
      const variance = new Float64Array(channels);
      for (let i = 0; i < values.length; i++) mean[i % channels] += values[i] / rows;
      for (let i = 0; i < values.length; i++)
        variance[i % channels] += (values[i] - mean[i % channels]) ** 2 / rows;
      return Float64Array.from(values, (value, i) => {
        const c = i % channels;
        return (value - mean[c]) / Math.sqrt(variance[c] + EPSILON);
      });
    };
    const { y, gradients } = await runOp(gpu(), (x) => standardize(x, EPSILON), [x], dy);
    expectClose(y, reference(x.data));
    const [expected] = finiteDifferences(([moved]) => dotProduct(reference(moved), dy), [x.data]);
    expectClose(gradients[0], expected);
  });

  it("standardizes each channel once, of a concatenation too, and once for each ε", () => {
    const graph = new Graph();
    const [a, b] = [graph.input("a", [2, 3, 3, 4]), graph.input("b", [2, 3, 3, 8])];
    const ofA = standardize(a, EPSILON);
    expect(standardize(a, EPSILON)).toBe(ofA);
    expect(standardize(a, 1e-5)).not.toBe(ofA);
    const joined = standardize(concat([a, b]), EPSILON);
    expect(joined.shape).toEqual([2, 3, 3, 12]);
    expect(joined.node!.op.pattern).toEqual({ kind: "concat", parts: [ofA, standardize(b, EPSILON)] });
  });

  it("refuses what has no batch axis", () => {
    expect(() => standardize(new Graph().input("x", [4]), EPSILON)).toThrow("needs a batch axis");
  });
});
