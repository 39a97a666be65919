// The clothing U-Net on drawn people: a few training steps, then a look at one mask.  npm run example -- unet [steps [size]]
import { argmax, compile, gradients, Graph, rmsprop } from "bespoke";
import { unet } from "bespoke/networks";
import { crossEntropyAndAccuracy } from "bespoke/nn";
import { GeneratedDataset, openGpu, trainingBatches } from "bespoke/node";

const steps = Number(process.argv[2] ?? 20);
const SIZE = Number(process.argv[3] ?? 64);
const BATCH = 4;

const people = new GeneratedDataset({ size: 40, imageSize: SIZE });
const batches = trainingBatches(people, { batchSize: BATCH, seed: 0 });

const gpu = await openGpu();
console.log(`Adapter: ${gpu.adapterName}`);
const graph = new Graph();
const image = graph.input("image", [BATCH, SIZE, SIZE, 3]);
const labels = graph.input("labels", [BATCH, SIZE, SIZE], "u32");
const classes = people.classNames.length;
const logits = unet(image, { classes, training: true, trainableEncoder: true, momentum: 0.9 });
const { loss, accuracy } = crossEntropyAndAccuracy(logits, labels);
const step = await compile(gpu, {
  outputs: { loss, accuracy, prediction: argmax(logits) },
  updates: rmsprop(gradients(loss), { learningRate: 1e-3 }),
});
const { dispatches, peakBytes } = step.summary;
console.log(
  `${graph.variables.size} variables (the optimizer's too), ${dispatches} dispatches a step, ${Math.ceil(peakBytes / 2 ** 20)} MiB`,
);

let last = await batches.next();
for (let number = 1; number <= steps && !last.done; number++) {
  const { images, labels } = last.value;
  const { loss, accuracy } = await step.run({ image: images, labels }, ["loss", "accuracy"]);
  console.log(`step ${number}: loss ${loss[0].toFixed(4)}, accuracy ${accuracy[0].toFixed(3)}`);
  if (number < steps) last = await batches.next();
}

/** What most of the pixels of the last batch's first picture are. */
const shares = (mask: Uint32Array | Float32Array): string => {
  const counts = new Map<number, number>();
  for (const label of mask.subarray(0, SIZE * SIZE)) counts.set(label, (counts.get(label) ?? 0) + 1);
  const largest = [...counts].sort(([, a], [, b]) => b - a).slice(0, 4);
  return largest
    .map(([label, count]) => `${people.classNames[label]} ${((100 * count) / SIZE ** 2).toFixed(0)} %`)
    .join(", ");
};
console.log(`Predicted: ${shares(await step.read("prediction"))}`);
if (last.value) console.log(`Truth:     ${shares(last.value.labels)}`);
await batches.return();
gpu.destroy();
