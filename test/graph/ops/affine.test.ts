import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { affine } from "../../../src/graph/ops/affine.ts";
import { plan } from "../../../src/graph/plan.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { dot, runOp } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();

const THEIRS = {
  linear: (x: tf.Tensor) => tf.add(x, 0),
  relu: (x: tf.Tensor) => tf.relu(x),
  relu6: (x: tf.Tensor) => tf.relu6(x),
  swish: (x: tf.Tensor) => tf.mul(x, tf.sigmoid(x)),
} as const;

describe.each(Object.keys(THEIRS) as (keyof typeof THEIRS)[])("affine, %s", (kind) => {
  it.each<{ shape: Shape; maxBindingBytes?: number }>([
    { shape: [2, 6, 4, 4] },
    { shape: [3, 7, 5, 3] },
    { shape: [40, 12] },
    { shape: [5, 8, 8, 16], maxBindingBytes: 8192 },
  ])("of $shape is that of tfjs, with all gradients", async ({ shape, maxBindingBytes }) => {
    const [normalized, gamma, beta] = [shape, shape.slice(-1), shape.slice(-1)].map((each, i) =>
      randomInput(each, i + 1),
    );
    // Beyond both bends of a ReLU6.
    gamma.data.forEach((value, i) => (gamma.data[i] = 4 * value));
    const { data: dy } = randomInput(shape, 4);
    const inputs = [normalized, gamma, beta];
    const theirs = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor =>
      THEIRS[kind](tf.add(tf.mul(x, gamma), beta));
    const expected = tfjsReference(theirs, inputs, dy);
    const ours = (x: Tensor, gamma: Tensor, beta: Tensor): Tensor => affine(x, gamma, beta, kind);
    const actual = await runOp(gpu(), ours, inputs, dy, { maxBindingBytes });
    expectClose(actual.y, expected.y);
    expected.gradients.forEach((gradient, i) => expectClose(actual.gradients[i], gradient, 1e-5, `${i}`));
  });
});

describe("affine", () => {
  it("finds only the gradients that are asked for", () => {
    const graph = new Graph();
    const inputs = [[2, 3, 3, 4], [4], [4]].map((shape, i) => graph.input(`${i}`, shape));
    const [x, gamma, beta] = inputs;
    const z = affine(x, gamma, beta, "relu");
    const found = gradients(dot(z, graph.input("dz", z.shape)), inputs);
    const labels = (i: number): string[] =>
      plan({ outputs: { d: found.get(inputs[i])! } }, paperTarget).dispatches.map(
        ({ kernel }) => kernel.label,
      );
    expect(labels(0)).toEqual(["affine_relu_gradient"]);
    expect(labels(1)).toContain("affine_relu_parameter_gradients");
    expect(labels(2)).not.toContain("affine_relu_gradient");
  });

  it("says which channels do not fit", () => {
    const graph = new Graph();
    const [x, gamma, beta] = [[2, 3, 3, 4], [5], [4]].map((shape, i) => graph.input(`input ${i}`, shape));
    expect(() => affine(x, gamma, beta)).toThrow('"input 1" is [5] and must be [4] to fit');
  });
});
