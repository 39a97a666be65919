import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { expect, it } from "vitest";
import { startTfjsTransformer } from "../../bench/transformer/tfjs-transformer.ts";
import { transformer } from "../../examples/character-transformer.ts";
import { compile } from "../../src/graph/compile.ts";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import { adam } from "../../src/graph/optimizers/adam.ts";
import { sparseSoftmaxCrossEntropy } from "../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { Variables } from "../../src/graph/variables.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";

const gpu = useGpu();

it("the transformer's step is tfjs's: the losses of four steps from the same values", async () => {
  const options = { vocabulary: 8, length: 4, channels: 8, heads: 2, blocks: 2 };
  const [batch, learningRate] = [3, 0.01];
  const graph = new Graph();
  const logits = transformer(options)(graph.input("tokens", [batch, 4], "u32"), { training: true });
  const loss = sparseSoftmaxCrossEntropy(logits, graph.input("labels", [batch, 4], "u32"));
  const updates = adam(gradients(loss), { learningRate });
  using variables = new Variables(gpu(), { seed: 1 });
  using program = await compile(gpu(), { outputs: { loss }, updates, variables });
  const first = await variables.readAll((name) => !name.includes("adam"));
  const feeds = {
    tokens: Uint32Array.from({ length: 12 }, (_, i) => (i * 5) % 8),
    labels: Uint32Array.from({ length: 12 }, (_, i) => (i * 3 + 1) % 8),
  };
  await tf.setBackend("cpu");
  const theirs = startTfjsTransformer({ options, batch, learningRate, variables: first, ...feeds });
  const [ours, expected]: [number[], number[]] = [[], []];
  for (let i = 0; i < 4; i++) {
    ours.push((await program.run(feeds)).loss[0]);
    expected.push(theirs.step().dataSync()[0]);
  }
  theirs.dispose();
  expectClose(ours, expected, 1e-4);
  expect(expected[3]).toBeLessThan(expected[0] - 0.05);
});
