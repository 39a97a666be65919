import * as tf from "@tensorflow/tfjs-core";
import { model } from "@tensorflow/tfjs-layers";
import { FolderDataset } from "../../src/data/folder-dataset.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { softmax } from "../../src/graph/ops/softmax.ts";
import { compile } from "../../src/graph/compile.ts";
import { Variables } from "../../src/graph/variables.ts";
import { encode } from "../../src/layers/encoder.ts";
import { denseNet121 } from "../../src/layers/networks/densenet.ts";
import { restoreWeights } from "../../src/train/checkpoint.ts";
import type { RealFiles } from "./real-files.ts";
import { makeRow, relativeError } from "./row.ts";
import type { Row } from "./row.ts";
import { loadTfjsDenseNet, outputOf } from "./tfjs-densenet.ts";
import { useTfjsWasm } from "./tfjs-backends.ts";

const LIMIT = 1e-4;
const SIZE = 128;
const SKIPS = ["conv1/relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"] as const;
const TOP = "fc1000";

/** What both sides compute: the skips and the classes' probabilities, by Keras layer name. */
type Activations = Readonly<Record<string, ArrayLike<number>>>;

/** DenseNet121 with its ImageNet weights on the first photo: its five skips and its five likeliest classes. */
export async function compareDenseNet(gpu: Gpu, { data, weights }: RealFiles): Promise<Row[]> {
  const dataset = await FolderDataset.open(data, { imageSize: SIZE });
  const { image } = await dataset.load(0);
  const { activations: ours, shapes } = await forward(gpu, weights, image);
  const theirs = await reference(weights, image);
  const rows = SKIPS.map((skip) => {
    const shape = shapes[skip];
    const forward = relativeError(ours[skip], theirs[skip]);
    return makeRow({
      part: "densenet",
      case: `DenseNet121 ${skip}`,
      shape,
      forward,
      others: {},
      limit: LIMIT,
    });
  });
  const [likeliest, expected] = [topFive(ours[TOP]), topFive(theirs[TOP])];
  const same = likeliest.join() === expected.join();
  const top: Omit<Row, "ok"> = {
    part: "densenet",
    case: "DenseNet121 top-5 classes",
    shape: shapes[TOP],
    forward: relativeError(ours[TOP], theirs[TOP]),
    others: {},
    limit: LIMIT,
    note: `ours ${likeliest.join(" ")}, tfjs ${expected.join(" ")}`,
  };
  return [...rows, makeRow(top, same)];
}

async function forward(
  gpu: Gpu,
  weights: string,
  image: Float32Array,
): Promise<{ activations: Activations; shapes: Record<string, string> }> {
  const graph = new Graph();
  const input = graph.input("image", [1, SIZE, SIZE, 3]);
  const { taps, top } = encode(input, denseNet121, { training: false, trainable: false, top: true });
  const outputs: Record<string, Tensor> = { ...taps, [TOP]: softmax(top!) };
  const variables = new Variables(gpu);
  const program = await compile(gpu, { outputs, variables });
  try {
    await restoreWeights(variables, weights);
    const shapes = Object.entries(outputs).map(([name, { shape }]) => [name, shape.join("×")] as const);
    return { activations: await program.run({ image }), shapes: Object.fromEntries(shapes) };
  } finally {
    program.destroy();
    variables.destroy();
  }
}

async function reference(weights: string, image: Float32Array): Promise<Activations> {
  await useTfjsWasm();
  const whole = await loadTfjsDenseNet(weights);
  const names = [...SKIPS, TOP];
  const tapped = model({ inputs: whole.inputs, outputs: names.map((name) => outputOf(whole, name)) });
  const results = tf.tidy(() => {
    const predicted = tapped.predict(tf.tensor(image, [1, SIZE, SIZE, 3])) as tf.Tensor[];
    return predicted.map((tensor) => tensor.dataSync().slice());
  });
  whole.dispose();
  return Object.fromEntries(names.map((name, i) => [name, results[i]]));
}

const topFive = (probabilities: ArrayLike<number>): number[] =>
  Array.from(probabilities, (_, index) => index)
    .sort((a, b) => probabilities[b] - probabilities[a])
    .slice(0, 5);
