import { adam, argmax, compile, Gpu, gradients, Graph, Variables } from "bespoke";
import {
  batchNormalization,
  conv2d,
  dense,
  globalAveragePooling2d,
  maxPooling2d,
  sequential,
} from "bespoke/layers";
import { crossEntropyAndAccuracy } from "bespoke/nn";

const network = sequential([
  conv2d(16, 3, { padding: "same", useBias: false }),
  batchNormalization({ activation: "relu" }),
  maxPooling2d(2),
  conv2d(32, 3, { padding: "same", useBias: false }),
  batchNormalization({ activation: "relu" }),
  maxPooling2d(2),
  globalAveragePooling2d(),
  dense(10),
]);

const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!);
const variables = new Variables(gpu, { seed: 1 });
const training = new Graph();
const logits = network(training.input("images", [32, 28, 28, 1]), { training: true });
const { loss, accuracy } = crossEntropyAndAccuracy(logits, training.input("labels", [32], "u32"));
const updates = adam(gradients(loss), { learningRate: 1e-3 });
const step = await compile(gpu, { outputs: { loss, accuracy }, updates, variables });
const feeds = { images: new Float32Array(32 * 28 * 28), labels: new Uint32Array(32) };
for (let i = 0; i < 100; i++) console.log((await step.run(feeds)).accuracy[0]);

const image = new Graph().input("image", [1, 28, 28, 1]);
const digit = argmax(network(image));
const reader = await compile(gpu, { outputs: { digit }, variables });
console.log((await reader.run({ image: feeds.images.subarray(0, 28 * 28) })).digit[0]);
