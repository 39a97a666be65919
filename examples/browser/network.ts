import { adam, compile, glorotUniform, gradients, Graph, relu, Variables, zeros } from "bespoke";
import type { f32, Gpu, Program, Tensor, u32 } from "bespoke";
import { crossEntropyAndAccuracy, dense, softmax } from "bespoke/nn";
import { CLASSES, COUNT } from "./points.ts";

const HIDDEN = 32;

/** Places a side at which the network is asked what it says. */
export const GRID = 100;

/** Two programs over the same weights: one learns from the points, one is asked about every place of the square. */
export interface Network {
  readonly step: Program<{ loss: f32; accuracy: f32 }, { x: f32; labels: u32 }>;
  readonly ask: Program<{ probabilities: f32 }, { x: f32 }>;
  /** Frees the programs and the weights. */
  destroy(): void;
}

/** `x` `[N, 2]` to logits `[N, CLASSES]`. */
function logitsOf(x: Tensor): Tensor {
  const layer = (input: Tensor, name: string, units: number): Tensor => {
    const kernel = input.graph.parameter(`${name}/kernel`, [input.shape[1], units], glorotUniform);
    return dense(input, kernel, input.graph.parameter(`${name}/bias`, [units], zeros));
  };
  const hidden = relu(layer(relu(layer(x, "hidden_1", HIDDEN)), "hidden_2", HIDDEN));
  return layer(hidden, "out", CLASSES);
}

/** A network that knows nothing yet; another `seed` is another beginning. */
export async function createNetwork(gpu: Gpu, seed: number): Promise<Network> {
  const variables = new Variables(gpu, { seed });

  const training = new Graph();
  const labels = training.input("labels", [COUNT], "u32");
  const { loss, accuracy } = crossEntropyAndAccuracy(logitsOf(training.input("x", [COUNT, 2])), labels);
  const updates = adam(gradients(loss), { learningRate: 0.01 });
  const step: Network["step"] = await compile(gpu, { outputs: { loss, accuracy }, updates, variables });

  const asking = new Graph();
  const probabilities = softmax(logitsOf(asking.input("x", [GRID * GRID, 2])));
  const ask: Network["ask"] = await compile(gpu, { outputs: { probabilities }, variables });

  return {
    step,
    ask,
    destroy() {
      for (const each of [step, ask, variables]) each.destroy();
    },
  };
}

/** `[GRID², 2]`: the middles of a grid over the square from −1 to 1, row by row from the top. */
export const GRID_PLACES = Float32Array.from({ length: 2 * GRID * GRID }, (_, i) => {
  const place = i >> 1;
  const [column, row] = [place % GRID, Math.floor(place / GRID)];
  return i % 2 === 0 ? (2 * column + 1) / GRID - 1 : 1 - (2 * row + 1) / GRID;
});
