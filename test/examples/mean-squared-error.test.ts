import * as tf from "@tensorflow/tfjs-core";
import { compile, gradients, Graph } from "bespoke";
import { describe, expect, it } from "vitest";
import { meanSquaredError } from "../../examples/mean-squared-error.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";
import { randomInput } from "../helpers/tfjs-reference.ts";

describe("meanSquaredError", () => {
  const gpu = useGpu();

  async function run(shape: number[], maxBindingBytes?: number): Promise<Record<string, ArrayLike<number>>> {
    const graph = new Graph();
    const prediction = graph.input("prediction", shape);
    const loss = meanSquaredError(prediction, graph.input("truth", shape));
    const gradient = gradients(loss, [prediction]).get(prediction)!;
    const program = await compile(gpu(), { outputs: { loss, gradient }, maxBindingBytes });
    const results = await program.run({
      prediction: randomInput(shape, 1).data,
      truth: randomInput(shape, 2).data,
    });
    program.destroy();
    return results;
  }

  it.each([[[1]], [[64, 1]], [[3, 5, 7, 2]], [[2, 700]]])(
    "is tfjs's at %j, and so is its gradient",
    async (shape) => {
      const [prediction, truth] = [1, 2].map((seed) => tf.tensor(randomInput(shape, seed).data, shape));
      const { value, grad } = tf.valueAndGrad((p) => tf.mean(tf.squaredDifference(p, truth)))(prediction);
      const { loss, gradient } = await run(shape);
      expectClose(loss, await value.data());
      expectClose(gradient, await grad.data());
    },
  );

  it("is the same when the batch is cut", async () => {
    expect(await run([6, 64], 2 * 64 * 4)).toEqual(await run([6, 64]));
  });

  it("says which shapes differ", () => {
    const graph = new Graph();
    expect(() => meanSquaredError(graph.input("p", [2, 1]), graph.input("t", [2]))).toThrow(
      '"p" [2, 1] and "t" [2] differ in shape',
    );
  });
});
