// A classifier of Keras layers in a row, defined and trained in a dozen lines.  npm run example -- sequential [steps]
import { adam, compile, gradients, Graph } from "bespoke";
import { conv2d, dense, dropout, flatten, maxPooling2d, sequential } from "bespoke/layers";
import { crossEntropyAndAccuracy } from "bespoke/nn";
import { openGpu } from "bespoke/node";
import { drawDigits } from "./digits.ts";

const steps = Number(process.argv[2] ?? 100);

const relu = { activation: "relu" } as const;
const features = [conv2d(8, 3, relu), maxPooling2d(2), conv2d(16, 3, relu), maxPooling2d(2), flatten()];
const model = sequential([...features, dropout(0.25), dense(10)]);

const gpu = await openGpu();
const graph = new Graph();
const logits = model(graph.input("images", [50, 28, 28, 1]), { training: true });
const results = crossEntropyAndAccuracy(logits, graph.input("labels", [50], "u32"));
const updates = adam(gradients(results.loss), { learningRate: 3e-3 });
const step = await compile(gpu, { outputs: { ...results }, updates });
for (let number = 1; number <= steps; number++) {
  const { loss, accuracy } = await step.run(drawDigits(50, number));
  console.log(`step ${number}: loss ${loss[0].toFixed(4)}, accuracy ${accuracy[0].toFixed(2)}`);
}
gpu.destroy();
