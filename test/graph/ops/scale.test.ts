import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import { expectClose } from "../../helpers/close.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();

it.each([[[3, 5, 7]], [[]], [[130]]])("scale multiplies %j and its gradient", async (shape) => {
  const inputs = [randomInput(shape, 1)];
  const { data: dy } = randomInput(shape, 2);
  const actual = await runOp(gpu(), (x) => scale(x, -0.5), inputs, dy);
  const expected = tfjsReference((x) => tf.mul(x, -0.5), inputs, dy);
  expect(actual).toEqual({ y: expected.y, gradients: expected.gradients });
});

it.each([[[3, 5, 7]], [[]], [[130]]])("scale multiplies %j by a tensor", async (shape) => {
  const inputs = [randomInput(shape, 1), { shape: [], data: Float32Array.of(-0.75) }];
  const { data: dy } = randomInput(shape, 2);
  const actual = await runOp(gpu(), (x, factor) => scale(x, factor), inputs, dy);
  const expected = tfjsReference((x, factor) => tf.mul(x, factor), inputs, dy);
  expect(actual.y).toEqual(expected.y);
  expect(actual.gradients[0]).toEqual(expected.gradients[0]);
  expectClose(actual.gradients[1], expected.gradients[1]);
});

it("scale by a tensor has the gradients of finite differences", async () => {
  const inputs = [randomInput([2, 3], 1), { shape: [], data: Float32Array.of(-0.75) }];
  const { data: dy } = randomInput([2, 3], 2);
  const { gradients } = await runOp(gpu(), scale, inputs, dy);
  const f = ([x, [factor]]: readonly Float64Array[]): number => factor * dotProduct(x, dy);
  finiteDifferences(
    f,
    inputs.map(({ data }) => data),
  ).forEach((expected, i) => expectClose(gradients[i], expected));
});

it("scale by a tensor gives the same in pieces along the batch", async () => {
  const inputs = [randomInput([8, 64], 1), { shape: [], data: Float32Array.of(3) }];
  const run = (maxBindingBytes?: number) =>
    runOp(gpu(), (x, factor) => scale(x, factor), inputs, inputs[0].data, { maxBindingBytes });
  const [pieces, whole] = [await run(512), await run()];
  expectClose(pieces.gradients[1], whole.gradients[1]!);
  expect({ ...pieces, gradients: [pieces.gradients[0]] }).toEqual({
    ...whole,
    gradients: [whole.gradients[0]],
  });
});

it("scale says which tensor is no factor", () => {
  const graph = new Graph();
  expect(() => scale(graph.input("x", [3]), graph.input("three", [3]))).toThrow(
    'scale: the factor must be an f32 scalar; "three" is f32 [3].',
  );
});
