import * as tf from "@tensorflow/tfjs-core";
import { Graph } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { rmsprop } from "../../../src/graph/optimizers/rmsprop.ts";
import { compile } from "../../../src/graph/program.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";
import { kernelCase } from "../kernel-case.ts";
import type { KernelCase } from "../kernel-case.ts";

const STEPS = [1, 2, 3];
const RATE = 1e-3;

/** Gradients of very different sizes, as those of a network are. */
const gradientAt = (shape: Shape, step: number): Float32Array =>
  randomInput(shape, step).data.map((value, i) => value * 10 ** -(i % 5));

/** Three steps from zero, so that the parameter is the sum of its updates. */
function threeSteps(shape: Shape): KernelCase {
  return kernelCase(
    "rmsprop, 3 steps",
    `parameter ${shape.join("×")}`,
    async (gpu) => {
      const graph = new Graph();
      const parameter = graph.parameter("parameter", shape, zeros);
      const gradient = graph.input("gradient", shape);
      const updates = rmsprop(new Map([[parameter, gradient]]), { learningRate: RATE });
      const variables = new Variables(gpu);
      const program = await compile(gpu, { outputs: {}, updates, variables });
      try {
        for (const step of STEPS) await program.run({ gradient: gradientAt(shape, step) });
        const meanSquare = await variables.read("parameter/rmsprop");
        return { y: await variables.read("parameter"), others: { mean_square: meanSquare } };
      } finally {
        program.destroy();
        variables.destroy();
      }
    },
    async () => {
      const parameter = tf.variable(tf.zeros([...shape]));
      const optimizer = tf.train.rmsprop(RATE, 0.9, 0, 1e-7);
      for (const step of STEPS) {
        const gradient = tf.tensor(gradientAt(shape, step), [...shape]);
        optimizer.applyGradients({ [parameter.name]: gradient });
        gradient.dispose();
      }
      const [, meanSquare] = await optimizer.getWeights();
      const result = {
        y: parameter.dataSync().slice(),
        others: { mean_square: meanSquare.tensor.dataSync().slice() },
      };
      parameter.dispose();
      optimizer.dispose();
      return result;
    },
  );
}

export const optimizerCases: readonly KernelCase[] = [threeSteps([3, 3, 5, 7]), threeSteps([1, 1, 64, 32])];
