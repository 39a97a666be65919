import type { Gpu } from "../gpu/gpu.ts";
import { gradients } from "../graph/gradients.ts";
import { Graph } from "../graph/graph.ts";
import { rmsprop } from "../graph/optimizers/rmsprop.ts";
import { accuracy } from "../graph/ops/accuracy.ts";
import { argmax } from "../graph/ops/argmax.ts";
import { sparseSoftmaxCrossEntropy } from "../graph/ops/sparse-softmax-cross-entropy.ts";
import { compile } from "../graph/program.ts";
import type { Program } from "../graph/program.ts";
import type { Variables } from "../graph/variables.ts";
import { unet } from "../layers/unet.ts";

export interface NetworkSpec {
  readonly batchSize: number;
  /** Side of the square photos, a multiple of 32. */
  readonly imageSize: number;
  readonly classes: number;
  /** Of the batch norms' moving statistics. */
  readonly momentum: number;
}

/** Names the optimizer's slots of a phase end with, so that a phase's can be told from the network's variables. */
export type Phase = "frozen" | "finetune";
const SLOTS = { frozen: "rmsprop_frozen", finetune: "rmsprop_finetune" } as const;

/** Whether a variable is an optimizer's, not the network's. */
export const isOptimizerSlot = (name: string): boolean => /\/rmsprop_(frozen|finetune)$/.test(name);

/**
 * One training step: inputs `image` `[N, S, S, 3]`, `labels` `[N, S, S]` (u32) and `learning_rate` `[]`; outputs `loss`
 * (mean over all pixels) and `accuracy`. Each phase has an RMSprop of its own that starts at zero, as Keras's does
 * when a model is compiled anew.
 */
export function compileTrainingStep(
  gpu: Gpu,
  variables: Variables,
  { batchSize, imageSize, classes, momentum }: NetworkSpec,
  phase: Phase,
): Promise<Program> {
  const graph = new Graph();
  const image = graph.input("image", [batchSize, imageSize, imageSize, 3]);
  const labels = graph.input("labels", [batchSize, imageSize, imageSize], "u32");
  const learningRate = graph.input("learning_rate", []);
  const logits = unet(image, { classes, training: true, trainableEncoder: phase === "finetune", momentum });
  const loss = sparseSoftmaxCrossEntropy(logits, labels);
  const updates = rmsprop(gradients(loss), { learningRate, name: SLOTS[phase] });
  return compile(gpu, { outputs: { loss, accuracy: accuracy(logits, labels) }, updates, variables });
}

/**
 * Evaluation: inputs `image` and `labels`; outputs `loss` and `accuracy`, one value a photo (so that a last batch
 * filled up with repetitions can be weighed right), and `prediction` `[N, S, S]` (u32), the likeliest class.
 */
export function compileEvaluator(
  gpu: Gpu,
  variables: Variables,
  { batchSize, imageSize, classes, momentum }: NetworkSpec,
): Promise<Program> {
  const graph = new Graph();
  const image = graph.input("image", [batchSize, imageSize, imageSize, 3]);
  const labels = graph.input("labels", [batchSize, imageSize, imageSize], "u32");
  const logits = unet(image, { classes, training: false, trainableEncoder: false, momentum });
  const perImage = { reduction: "per-image" } as const;
  const outputs = {
    loss: sparseSoftmaxCrossEntropy(logits, labels, perImage),
    accuracy: accuracy(logits, labels, perImage),
    prediction: argmax(logits),
  };
  return compile(gpu, { outputs, variables });
}
