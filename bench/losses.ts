/**
 * @file What each loss costs beside the plain cross-entropy, in turns with it: `npm run bench:losses -- [size [batch [classes]]]
 * [--precision f16]` (64, 2 and 59). First a whole training step with the encoder frozen, then the loss and its gradient alone, over logits
 * that are written over where the loss may. A fifth of the pixels does not count where that is said.
 */
import { Command } from "commander";
import { openGpu } from "../src/adapter/open-gpu.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { IGNORED_LABEL } from "../src/data/batch.ts";
import { precisionOption } from "../src/cli/precision-option.ts";
import { preset } from "../src/config/index.ts";
import type { Precision } from "../src/config/index.ts";
import { gradients } from "../src/graph/gradients.ts";
import { Graph } from "../src/graph/graph.ts";
import { cast } from "../src/graph/ops/cast.ts";
import { relu } from "../src/graph/ops/relu.ts";
import { lossOf, lossSpec } from "../src/train/phase/loss.ts";
import type { Criterion, LossSpec } from "../src/train/phase/loss.ts";
import { trainingStep } from "../src/train/phase/programs.ts";
import type { StepSpec } from "../src/train/phase/programs.ts";
import { messageOf } from "../src/message-of.ts";
import { refuseUnknownPrecision } from "../src/train/precision.ts";
import type { GraphWork } from "./bench-case.ts";
import { positive, side } from "./command.ts";
import { prepareOurs } from "./contender.ts";
import { compare } from "./measure.ts";
import { noise } from "./noise.ts";
import { noiseBatch } from "./step/batch.ts";

const NAMES: readonly LossSpec["name"][] = [
  "cross-entropy",
  "focal",
  "dice",
  "dice-cross-entropy",
  "tversky",
  "lovasz",
];
/** Milliseconds of measuring a pair. */
const TIME = { step: 20_000, loss: 2000 };

const command = new Command("bench:losses")
  .description("Times every loss beside the plain cross-entropy.")
  .argument("[size]", "side of the photos", side, 64)
  .argument("[batch]", "photos a step", positive, 2)
  .argument("[classes]", "classes", positive, 59)
  .addOption(precisionOption("what activations, logits and their gradients are stored in").default("f32"));
const [imageSize, batchSize, classes] = command.parse().processedArgs as [number, number, number];
const { precision } = command.opts<{ precision: Precision }>();
const settings = preset("quick", "lavapipe", false);
const of = (name: LossSpec["name"], ignores = false): Criterion => ({
  loss: lossSpec({ ...settings, loss: name }),
  ignores,
});

const batch = noiseBatch(batchSize, imageSize, classes);
const feeds = (ignores: boolean): GraphWork["feeds"] => ({
  image: () => batch.image,
  labels: () => batch.labels.map((label, i) => (ignores && i % 5 === 0 ? IGNORED_LABEL : label)),
  logits: () => noise("logits", batchSize * imageSize ** 2 * classes),
  learning_rate: () => Float32Array.of(1e-3),
});

function step(criterion: Criterion): GraphWork {
  const spec: StepSpec = {
    ...{
      batchSize,
      imageSize,
      classes,
      momentum: 0.99,
      optimizer: "rmsprop",
      clipNorm: null,
      weighted: false,
      precision,
    },
    ...criterion,
  };
  return { goals: trainingStep(spec, "frozen"), feeds: feeds(criterion.ignores!), timed: () => true };
}

function loss(criterion: Criterion): GraphWork {
  const graph = new Graph();
  const shape = [batchSize, imageSize, imageSize, classes];
  const logits = graph.input("logits", shape);
  // A graph's input may not be written over.
  const written = relu(cast(logits, precision));
  const outputs = lossOf(criterion, written, graph.input("labels", shape.slice(0, -1), "u32"));
  const gradient = gradients(outputs.loss, [written]).get(written)!;
  return {
    goals: { outputs: { ...outputs, gradient } },
    feeds: feeds(criterion.ignores!),
    timed: ({ op }) => op.family === "loss",
  };
}

async function report(
  gpu: Gpu,
  what: string,
  make: (criterion: Criterion) => GraphWork,
  time: number,
): Promise<void> {
  const plain = await prepareOurs(gpu, make(of("cross-entropy")));
  for (const criterion of [of("cross-entropy", true), ...NAMES.slice(1).map((name) => of(name))]) {
    const other = await prepareOurs(gpu, make(criterion));
    const { ours, theirs, ratio } = await compare(plain, other, time);
    other.destroy();
    const name = `${criterion.loss!.name}${criterion.ignores ? ", a fifth not counted" : ""}`;
    console.log(
      `${what.padEnd(18)} ${name.padEnd(36)} ${theirs!.median.toFixed(2).padStart(9)} ms, cross-entropy ` +
        `${ours.median.toFixed(2).padStart(9)} ms, ratio ${ratio!.toFixed(3)}`,
    );
  }
  plain.destroy();
}

const gpu = await openGpu();
try {
  refuseUnknownPrecision(gpu, { precision });
  console.log(
    `${gpu.adapterName}, ${batchSize} images of ${imageSize}×${imageSize}, ${classes} classes, ${precision}`,
  );
  await report(gpu, "loss and gradient", loss, TIME.loss);
  await report(gpu, "frozen step", step, TIME.step);
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
} finally {
  gpu.destroy();
}
