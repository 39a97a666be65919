// A small convolutional network that reads generated digits.  npm run example -- mnist [steps]
import { adam, argmax, compile, glorotUniform, gradients, Graph, relu, Variables, zeros } from "bespoke";
import type { Tensor } from "bespoke";
import { biasAdd, conv2d, crossEntropyAndAccuracy, dense, globalAveragePool2d, maxPool2d } from "bespoke/nn";
import { openGpu } from "bespoke/node";
import { digitText, drawDigits, SIZE } from "./digits.ts";

const steps = Number(process.argv[2] ?? 200);
const BATCH = 50;

/** `images` `[N, 28, 28, 1]` to logits `[N, 10]`. */
function network(images: Tensor): Tensor {
  const { graph } = images;
  const conv = (
    x: Tensor,
    name: string,
    size: number,
    filters: number,
    padding: "same" | "valid",
  ): Tensor => {
    const kernel = graph.parameter(`${name}/kernel`, [size, size, x.shape[3], filters], glorotUniform);
    const bias = graph.parameter(`${name}/bias`, [filters], zeros);
    return relu(biasAdd(conv2d(x, kernel, { strides: 1, padding }), bias));
  };
  const pool = (x: Tensor): Tensor => maxPool2d(x, { poolSize: 2, strides: 2, padding: "valid" });
  let x = pool(conv(images, "conv_1", 3, 8, "same"));
  x = pool(conv(x, "conv_2", 3, 16, "same"));
  // A dense layer over a whole image is a convolution with a kernel of the image's size.
  x = globalAveragePool2d(conv(x, "dense_1", x.shape[1], 32, "valid"));
  const kernel = graph.parameter("dense_2/kernel", [32, 10], glorotUniform);
  return dense(x, kernel, graph.parameter("dense_2/bias", [10], zeros));
}

const gpu = await openGpu();
console.log(`Adapter: ${gpu.adapterName}`);
const variables = new Variables(gpu, { seed: 1 });

const training = new Graph();
const labels = training.input("labels", [BATCH], "u32");
const logits = network(training.input("images", [BATCH, SIZE, SIZE, 1]));
const { loss, accuracy } = crossEntropyAndAccuracy(logits, labels);
const updates = adam(gradients(loss), { learningRate: 3e-3 });
const step = await compile(gpu, {
  outputs: { loss, accuracy },
  updates,
  variables,
});

for (let number = 1; number <= steps; number++) {
  const { loss, accuracy } = await step.run(drawDigits(BATCH, number));
  if (number === 1 || number === steps || number % 50 === 0)
    console.log(`step ${number}: loss ${loss[0].toFixed(4)}, accuracy ${accuracy[0].toFixed(2)}`);
}

// Another program over the same variables, on digits that training never saw.
const TEST = 1000;
const evaluation = new Graph();
const prediction = argmax(network(evaluation.input("images", [TEST, SIZE, SIZE, 1])));
const evaluate = await compile(gpu, { outputs: { prediction }, variables });
const test = drawDigits(TEST, 1e6);
const predicted = (await evaluate.run({ images: test.images })).prediction;
const right = predicted.filter((digit, i) => digit === test.labels[i]).length;
console.log(digitText(test.images.subarray(0, SIZE * SIZE)));
console.log(`This is read as ${predicted[0]} and is ${test.labels[0]}.`);
console.log(`Test accuracy on ${TEST} new digits: ${(right / TEST).toFixed(3)}`);
gpu.destroy();
