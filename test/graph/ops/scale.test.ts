import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
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
