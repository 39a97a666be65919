import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
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
  const expected = tfjsReference((x) => tf.mul(x, -0.75), inputs.slice(0, 1), dy);
  expect(actual).toEqual({ y: expected.y, gradients: [expected.gradients[0], null] });
});

it("scale by a tensor gives the same in pieces along the batch", async () => {
  const inputs = [randomInput([8, 64], 1), { shape: [], data: Float32Array.of(3) }];
  const run = (maxBindingBytes?: number) =>
    runOp(gpu(), (x, factor) => scale(x, factor), inputs, inputs[0].data, { maxBindingBytes });
  expect(await run(512)).toEqual(await run());
});

it("scale says which tensor is no factor", () => {
  const graph = new Graph();
  expect(() => scale(graph.input("x", [3]), graph.input("three", [3]))).toThrow(
    'scale: the factor must be an f32 scalar; "three" is f32 [3].',
  );
});
