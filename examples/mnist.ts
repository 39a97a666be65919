// A small convolutional network that reads digits: generated ones, or MNIST's.  npm run example -- mnist [steps] [folder of MNIST]
import { adam, argmax, compile, gradients, Graph, seededRandom, Variables } from "bespoke";
import { batchNormalization, conv2d, dense, flatten, maxPooling2d, sequential } from "bespoke/layers";
import { crossEntropyAndAccuracy } from "bespoke/nn";
import { openGpu } from "bespoke/node";
import { digitText, drawDigits, SIZE } from "./digits.ts";
import { readMnist } from "./idx.ts";
import type { Digits } from "./idx.ts";

const steps = Number(process.argv[2] ?? 200);
const folder = process.argv.at(3);
const BATCH = 50;
const TEST = 1000;

const convolution = (filters: number): Parameters<typeof sequential>[0] => [
  conv2d(filters, 3, { padding: "same", useBias: false }),
  batchNormalization({ momentum: 0.9, activation: "relu" }),
  maxPooling2d(2),
];
const model = sequential([
  ...convolution(8),
  ...convolution(16),
  flatten(),
  dense(32, { activation: "relu" }),
  dense(10),
]);

/** Batches of MNIST's training images drawn at random, or digits that are drawn anew each time; and those to test on. */
function digits(): { batch: (step: number) => Digits; test: Digits } {
  if (folder === undefined) return { batch: (step) => drawDigits(BATCH, step), test: drawDigits(TEST, 1e6) };
  const [train, test] = [readMnist(folder, "train"), readMnist(folder, "t10k")];
  const pick = ({ images, labels }: Digits, indices: readonly number[]): Digits => {
    const picked = new Float32Array(indices.length * SIZE * SIZE);
    indices.forEach((from, to) =>
      picked.set(images.subarray(from * SIZE * SIZE, (from + 1) * SIZE * SIZE), to * SIZE * SIZE),
    );
    return { images: picked, labels: Uint32Array.from(indices, (i) => labels[i]) };
  };
  const batch = (step: number): Digits => {
    const random = seededRandom(step, "batch");
    return pick(
      train,
      Array.from({ length: BATCH }, () => Math.floor(random() * train.labels.length)),
    );
  };
  return {
    batch,
    test: pick(
      test,
      Array.from({ length: TEST }, (_, i) => i % test.labels.length),
    ),
  };
}

const { batch, test } = digits();
const gpu = await openGpu();
console.log(`Adapter: ${gpu.adapterName}`);
const variables = new Variables(gpu, { seed: 1 });

const training = new Graph();
const logits = model(training.input("images", [BATCH, SIZE, SIZE, 1]), { training: true });
const results = crossEntropyAndAccuracy(logits, training.input("labels", [BATCH], "u32"));
const updates = adam(gradients(results.loss), { learningRate: 3e-3 });
const step = await compile(gpu, { outputs: { ...results }, updates, variables });

for (let number = 1; number <= steps; number++) {
  const { loss, accuracy } = await step.run({ ...batch(number) });
  if (number === 1 || number === steps || number % 50 === 0)
    console.log(`step ${number}: loss ${loss[0].toFixed(4)}, accuracy ${accuracy[0].toFixed(2)}`);
}

// Another program over the same variables, on digits that training never saw.
const evaluation = new Graph();
const prediction = argmax(model(evaluation.input("images", [TEST, SIZE, SIZE, 1])));
const evaluate = await compile(gpu, { outputs: { prediction }, variables });
const predicted = (await evaluate.run({ images: test.images })).prediction;
const right = predicted.filter((digit, i) => digit === test.labels[i]).length;
console.log(digitText(test.images.subarray(0, SIZE * SIZE)));
console.log(`This is read as ${predicted[0]} and is ${test.labels[0]}.`);
console.log(`Test accuracy on ${TEST} new digits: ${(right / TEST).toFixed(3)}`);
gpu.destroy();
