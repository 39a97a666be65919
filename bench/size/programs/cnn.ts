import { adam, argmax, compile, Gpu, gradients, Graph, glorotUniform, relu, Variables, zeros } from "bespoke";
import type { Tensor } from "bespoke";
import { conv2d, crossEntropyAndAccuracy, dense, globalAveragePool2d, maxPool2d } from "bespoke/nn";

function network(images: Tensor): Tensor {
  const { graph } = images;
  let x = images;
  for (const [name, filters] of [
    ["conv_1", 16],
    ["conv_2", 32],
  ] as const) {
    const kernel = graph.parameter(`${name}/kernel`, [3, 3, x.shape[3], filters], glorotUniform);
    const bias = graph.parameter(`${name}/bias`, [filters], zeros);
    x = relu(conv2d(x, kernel, { strides: 1, padding: "same", bias }));
    x = maxPool2d(x, { poolSize: 2, strides: 2, padding: "valid" });
  }
  const kernel = graph.parameter("dense/kernel", [32, 10], glorotUniform);
  return dense(globalAveragePool2d(x), kernel, graph.parameter("dense/bias", [10], zeros));
}

const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!);
const variables = new Variables(gpu, { seed: 1 });
const training = new Graph();
const logits = network(training.input("images", [32, 28, 28, 1]));
const { loss, accuracy } = crossEntropyAndAccuracy(logits, training.input("labels", [32], "u32"));
const updates = adam(gradients(loss), { learningRate: 1e-3 });
const step = await compile(gpu, { outputs: { loss, accuracy }, updates, variables });
const feeds = { images: new Float32Array(32 * 28 * 28), labels: new Uint32Array(32) };
for (let i = 0; i < 100; i++) console.log((await step.run(feeds)).accuracy[0]);

const image = new Graph().input("image", [1, 28, 28, 1]);
const digit = argmax(network(image));
const reader = await compile(gpu, { outputs: { digit }, variables });
console.log((await reader.run({ image: feeds.images.subarray(0, 28 * 28) })).digit[0]);
