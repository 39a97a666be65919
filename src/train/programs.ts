import type { Gpu } from "../gpu/gpu.ts";
import { gradients } from "../graph/gradients.ts";
import { Graph } from "../graph/graph.ts";
import type { Node, Tensor } from "../graph/graph.ts";
import { adam } from "../graph/optimizers/adam.ts";
import { clipByGlobalNorm } from "../graph/ops/clip-by-global-norm.ts";
import { rmsprop } from "../graph/optimizers/rmsprop.ts";
import { accuracy } from "../graph/ops/accuracy.ts";
import { argmax } from "../graph/ops/argmax.ts";
import { sparseSoftmaxCrossEntropy } from "../graph/ops/sparse-softmax-cross-entropy.ts";
import type { Goals } from "../graph/plan.ts";
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
  /** How the decoder doubles the size; "transpose" unless told otherwise. */
  readonly decoder?: "transpose" | "nearest";
}

/** What a training step needs to know besides the network. */
export interface StepSpec extends NetworkSpec {
  readonly optimizer: "rmsprop" | "adam";
  /** The largest global norm of the gradients; null for any. */
  readonly clipNorm: number | null;
  /** Whether each class's pixels have a weight of their own in the loss: an input `class_weights` `[classes]`. */
  readonly weighted: boolean;
}

/** The two phases, in order: the decoder on a frozen encoder, then everything. */
export const PHASES = ["frozen", "finetune"] as const;
export type Phase = (typeof PHASES)[number];

/** Whether a variable is an optimizer's, not the network's. */
export const isOptimizerSlot = (name: string): boolean => /(^|\/)(rmsprop|adam)_(frozen|finetune)/.test(name);

/** The graph of a training step and what is wanted of it. */
export interface TrainingStep extends Goals {
  readonly graph: Graph;
  readonly logits: Tensor;
}

/**
 * One training step: inputs `image` `[N, S, S, 3]`, `labels` `[N, S, S]` (u32) and `learning_rate` `[]` (and
 * `class_weights`); outputs `loss` (mean over all pixels), `accuracy`, and `gradient_norm` when gradients are clipped.
 * Each phase has an optimizer of its own that starts at zero, as Keras's does when a model is compiled anew.
 */
export function trainingStep(spec: StepSpec, phase: Phase): TrainingStep {
  const { batchSize, imageSize, classes, momentum, decoder, optimizer, clipNorm, weighted } = spec;
  const graph = new Graph();
  const image = graph.input("image", [batchSize, imageSize, imageSize, 3]);
  const labels = graph.input("labels", [batchSize, imageSize, imageSize], "u32");
  const learningRate = graph.input("learning_rate", []);
  const classWeights = weighted ? graph.input("class_weights", [classes]) : undefined;
  const trainableEncoder = phase === "finetune";
  const logits = unet(image, { classes, training: true, trainableEncoder, momentum, decoder });
  const loss = sparseSoftmaxCrossEntropy(logits, labels, { classWeights });
  const outputs: Record<string, Tensor> = { loss, accuracy: accuracy(logits, labels) };
  let slopes: ReadonlyMap<Tensor, Tensor> = gradients(loss);
  if (clipNorm !== null) {
    const clipped = clipByGlobalNorm(slopes, clipNorm);
    slopes = clipped.gradients;
    outputs.gradient_norm = clipped.norm;
  }
  const options = { learningRate, name: `${optimizer}_${phase}` };
  const updates: Node[] = optimizer === "adam" ? adam(slopes, options) : rmsprop(slopes, options);
  return { graph, logits, outputs, updates };
}

/** See {@link trainingStep}. */
export function compileTrainingStep(
  gpu: Gpu,
  variables: Variables,
  spec: StepSpec,
  phase: Phase,
): Promise<Program> {
  const { outputs, updates } = trainingStep(spec, phase);
  return compile(gpu, { outputs, updates, variables });
}

/**
 * Evaluation: inputs `image` and `labels`; outputs `loss`, one value a photo (so that a last batch filled up with
 * repetitions can be weighed right), and `prediction` `[N, S, S]` (u32), the likeliest class.
 */
export function compileEvaluator(gpu: Gpu, variables: Variables, spec: NetworkSpec): Promise<Program> {
  return compile(gpu, { ...evaluator(spec), variables });
}

/** See {@link compileEvaluator}. */
export function evaluator({ batchSize, imageSize, classes, momentum, decoder }: NetworkSpec): Goals {
  const graph = new Graph();
  const image = graph.input("image", [batchSize, imageSize, imageSize, 3]);
  const labels = graph.input("labels", [batchSize, imageSize, imageSize], "u32");
  const logits = unet(image, { classes, training: false, trainableEncoder: false, momentum, decoder });
  const loss = sparseSoftmaxCrossEntropy(logits, labels, { reduction: "per-image" });
  return { outputs: { loss, prediction: argmax(logits) } };
}
