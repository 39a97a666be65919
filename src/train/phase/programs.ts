import { IGNORED_LABEL } from "../../data/batch.ts";
import { toSize } from "../../image-size.ts";
import type { ImageSize } from "../../image-size.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { gradients as gradientsOf } from "../../graph/gradients.ts";
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/graph.ts";
import { lossScaling } from "../../graph/optimizers/loss-scaling.ts";
import type { LossScaling } from "../../graph/optimizers/loss-scaling.ts";
import { cast } from "../../graph/ops/cast.ts";
import { clipByGlobalNorm } from "../../graph/ops/clip-by-global-norm.ts";
import { argmax } from "../../graph/ops/argmax.ts";
import { confusionMatrix } from "../../graph/ops/confusion-matrix.ts";
import type { Momentum } from "../../graph/ops/moving-statistics.ts";
import { scale } from "../../graph/ops/scale.ts";
import { synchronizedBatchNorm } from "../../graph/ops/synchronized-batch-norm.ts";
import type { Goals } from "../../graph/plan.ts";
import { compile } from "../../graph/compile.ts";
import type { Program } from "../../graph/program.ts";
import type { Variables } from "../../graph/variables.ts";
import type { TileFor } from "../../kernels/tiling.ts";
import type { Decoder } from "../../layers/networks/decoder.ts";
import type { Encoder } from "../../layers/networks/encoder.ts";
import { DEFAULT_ENCODER } from "../../layers/networks/encoders.ts";
import { skipLayers } from "../../layers/networks/unet.ts";
import { skipsOf, unet, unetDecoder, unetEncoder } from "../../layers/unet.ts";
import type { Skips, UNetOptions } from "../../layers/unet.ts";
import { averageUpdates } from "./averaging.ts";
import { lossOf } from "./loss.ts";
import type { Criterion } from "./loss.ts";
import { updatesOf } from "./optimizer.ts";
import type { OptimizerSpec } from "./optimizer.ts";
import type { Precision, Wire } from "../../config/index.ts";
import type { Collectives } from "../../mpi/collectives.ts";
import type { Freeze, Phase } from "../../runs/phase.ts";

/** The network of a run, and how it is compiled. */
export interface NetworkSpec extends Criterion {
  /** Photos a step. */
  readonly batchSize: number;
  /** Of the photos; each side a multiple of 32. */
  readonly imageSize: ImageSize;
  /** Number of classes, background included. */
  readonly classes: number;
  /** Share of their moving statistics that batch norms keep in a step; each layer's own without. */
  readonly momentum?: number | undefined;
  /** By what the encoder's batch norms normalize while it is trained; "batch" by default. */
  readonly encoderStatistics?: "batch" | "moving";
  /** DenseNet121 by default. */
  readonly encoder?: Encoder | undefined;
  /** How the decoder doubles the size; "transpose" by default. */
  readonly decoder?: Decoder;
  /** What activations are stored in; f32 by default. */
  readonly precision?: Precision;
  /** Chooses the tiles of its matrix products, in every program of a run; the default ones without. */
  readonly tileFor?: TileFor | undefined;
}

/** The encoder of a network that may not say which it has. */
export const encoderOf = ({ encoder = DEFAULT_ENCODER }: Pick<NetworkSpec, "encoder">): Encoder => encoder;

/** What a program begins with: photos, or what the encoder has made of them. */
export type Beginning = "image" | "skips";

/** What a training step needs to know besides the network. */
export interface StepSpec extends NetworkSpec, OptimizerSpec {
  /** The largest global norm of the gradients; null for any. */
  readonly clipNorm: number | null;
  /** Whether each class's pixels have a weight of their own in the loss: an input `class_weights` `[classes]`. */
  readonly weighted: boolean;
  /** The decay of the weights' average at its highest (see `averaging.ts`); null, the default, for none. */
  readonly ema?: number | null;
  /** Micro-batches a step (see `accumulation.ts`), of all ranks together; 1 by default. */
  readonly accumulate?: number;
  /** The ranks that share the micro-batches of a step out, as many for each; a process by itself without. */
  readonly ranks?: Collectives | undefined;
  /** What gradients are sent to other ranks as; f32 by default. */
  readonly wire?: Wire;
  /** Whether batch norms normalize by the micro-batches of all ranks together, one of each; not by default. */
  readonly syncBatchNorm?: boolean;
  /** What the first phase leaves as it is; the encoder by default. */
  readonly freeze?: Freeze;
  /** Whether the steps on a frozen encoder take what it has made of each photo before; not by default. */
  readonly cacheFeatures?: boolean;
  /** Decides what dropout drops; 0 by default. */
  readonly seed?: number;
}

/** What a phase leaves as it is. */
const frozenIn = ({ freeze = "encoder" }: Pick<StepSpec, "freeze">, phase: Phase): Freeze =>
  phase === "frozen" ? freeze : "none";

/** Whether a phase trains the encoder. */
export const trainsEncoder = (spec: Pick<StepSpec, "freeze">, phase: Phase): boolean =>
  frozenIn(spec, phase) === "none";

/** Whether the steps of a phase take skips: nothing changes a frozen encoder, so a photo need go through it only once. */
export const takesSkips = (spec: Pick<StepSpec, "cacheFeatures" | "freeze">, phase: Phase): boolean =>
  spec.cacheFeatures === true && !trainsEncoder(spec, phase);

/** Whether the steps of a phase drop anything: then they have an input `step` `[]` (u32), another number for each pass. */
export const dropsOut = (spec: Pick<StepSpec, "encoder" | "freeze">, phase: Phase): boolean =>
  trainsEncoder(spec, phase) &&
  skipLayers(encoderOf(spec)).some(({ operation }) => operation.kind === "Dropout");

/** Whether batch norms normalize by the micro-batches of all ranks. */
export const synchronizes = ({ ranks, syncBatchNorm = false }: StepSpec): boolean =>
  syncBatchNorm && ranks !== undefined;

/** The graph of a training step and what is wanted of it. */
export interface TrainingStep extends Goals {
  readonly graph: Graph;
  readonly logits: Tensor;
}

/**
 * One training step in one program: inputs `image` `[N, H, W, 3]` (or {@link skipInputs}), `labels` `[N, H, W]` (u32) and `learning_rate` `[]`
 * (and `class_weights`, and `step` where {@link dropsOut}); outputs `loss` (over all pixels that count, see `lossOf`), `accuracy`, and `gradient_norm` when gradients are
 * clipped. Each phase has an optimizer of its own that starts at zero, as Keras's does when a model is compiled anew.
 */
export function trainingStep(spec: StepSpec, phase: Phase): TrainingStep {
  const { graph, logits, outputs, gradients, scaling } = trainingPass(spec, phase);
  const learning = optimizerUpdates(gradients, spec, phase, scaling);
  return { graph, logits, outputs: { ...outputs, ...learning.outputs }, updates: learning.updates };
}

/** The network over a batch, forth and back. */
export interface TrainingPass {
  readonly graph: Graph;
  readonly logits: Tensor;
  /** `loss` and `accuracy`. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /**
   * The gradient of each parameter that the phase trains, times the loss scale where there is one, and where batch norms are those of all
   * ranks, times the input `share` `[]`: the gradients of all then are those of one loss.
   */
  readonly gradients: ReadonlyMap<Tensor, Tensor>;
  /** In half precision. */
  readonly scaling: LossScaling | null;
}

/**
 * The logits of the network as a phase trains it, with the inputs of {@link trainingStep} that they need.
 *
 * @param momentum see `NetworkSpec`.
 */
export function trainedNetwork(
  graph: Graph,
  spec: StepSpec,
  phase: Phase,
  momentum: Momentum | undefined,
): Tensor {
  const frozen = frozenIn(spec, phase);
  const trainable = { trainableEncoder: frozen === "none", trainableDecoder: frozen !== "decoder" };
  const dropout = dropsOut(spec, phase)
    ? { seed: spec.seed ?? 0, step: graph.input("step", [], "u32") }
    : undefined;
  const { classes, encoderStatistics, encoder, decoder } = spec;
  const batchNorm = synchronizes(spec) ? synchronizedBatchNorm : undefined;
  const network = { classes, momentum, encoderStatistics, encoder, decoder, batchNorm };
  const options = { ...network, training: true, ...trainable, dropout };
  return logitsOf(graph, spec, options, takesSkips(spec, phase) ? "skips" : "image");
}

/** A training step up to the gradients; see {@link trainingStep}. */
export function trainingPass(spec: StepSpec, phase: Phase): TrainingPass {
  const { classes, weighted, precision } = spec;
  const graph = new Graph();
  const logits = trainedNetwork(graph, spec, phase, spec.momentum);
  const labels = labelsInput(graph, spec);
  const classWeights = weighted ? graph.input("class_weights", [classes]) : undefined;
  const { loss, accuracy } = lossOf(spec, logits, labels, { classWeights });
  const name = `loss_scale_${phase}`;
  const scaling = precision === "f16" ? lossScaling(graph, { clipNorm: spec.clipNorm, name }) : null;
  const own = synchronizes(spec) ? scale(loss, graph.input("share", [])) : loss;
  const gradients = gradientsOf(scaling ? scale(own, scaling.scale) : own);
  return { graph, logits, outputs: { loss, accuracy }, gradients, scaling };
}

/** What is learned from gradients, and what can be read of it. */
export type Learning = Required<Pick<Goals, "outputs" | "updates">>;

/**
 * A training step from the gradients on: clipping, and the phase's optimizer with the input `learning_rate`. Where the loss
 * was scaled, `gradient_norm` is that of the gradients without the scale, and not finite in a step that is skipped. Where weights are
 * averaged, they are at the end of it, with the input `ema_rate`.
 */
export function optimizerUpdates(
  gradients: ReadonlyMap<Tensor, Tensor>,
  spec: OptimizerSpec & Pick<StepSpec, "clipNorm" | "ema">,
  phase: Phase,
  scaling: LossScaling | null = null,
): Learning {
  const { outputs, updates } = learn(gradients, spec, phase, scaling);
  const averages = (spec.ema ?? null) === null ? [] : averageUpdates([...gradients.keys()]);
  return { outputs, updates: [...updates, ...averages] };
}

function learn(
  gradients: ReadonlyMap<Tensor, Tensor>,
  spec: OptimizerSpec & Pick<StepSpec, "clipNorm">,
  phase: Phase,
  scaling: LossScaling | null,
): Learning {
  const [[{ graph }]] = gradients;
  const { optimizer, clipNorm } = spec;
  const options = { learningRate: graph.input("learning_rate", []), name: `${optimizer}_${phase}` };
  if (scaling) {
    const { factor, norm, exhausted } = scaling.check(gradients);
    const updates = updatesOf(spec, gradients, { ...options, gradientScale: factor });
    return { outputs: { exhausted, ...(clipNorm !== null && { gradient_norm: norm }) }, updates };
  }
  if (clipNorm === null) return { outputs: {}, updates: updatesOf(spec, gradients, options) };
  const clipped = clipByGlobalNorm(gradients, clipNorm);
  return { outputs: { gradient_norm: clipped.norm }, updates: updatesOf(spec, clipped.gradients, options) };
}

/** See {@link trainingStep}. */
export function compileTrainingStep(
  gpu: Gpu,
  variables: Variables,
  spec: StepSpec,
  phase: Phase,
): Promise<Program> {
  const { outputs, updates } = trainingStep(spec, phase);
  return compile(gpu, { outputs, updates, variables, tileFor: spec.tileFor });
}

/**
 * Evaluation: inputs `image` (or {@link skipInputs}) and `labels`, of which `IGNORED_LABEL` never counts, so that photos which only
 * fill a batch up do not either. Outputs: `loss`, that of the run, unweighted, over the pixels that count (0 where none does); `confusion`
 * `[classes, classes]` (u32), these pixels, rows the truth; and `prediction` `[N, H, W]` (u32), the likeliest class of all pixels.
 */
export function compileEvaluator(
  gpu: Gpu,
  variables: Variables,
  spec: NetworkSpec,
  from?: Beginning,
): Promise<Program> {
  return compile(gpu, { ...evaluator(spec, from), variables, tileFor: spec.tileFor });
}

/** See {@link compileEvaluator}. */
export function evaluator(spec: NetworkSpec, from: Beginning = "image"): Goals {
  const { classes, encoder, decoder } = spec;
  const graph = new Graph();
  const options = { classes, training: false, trainableEncoder: false, encoder, decoder };
  const logits = logitsOf(graph, spec, options, from);
  const labels = labelsInput(graph, spec);
  const ignoreLabel = IGNORED_LABEL;
  const { loss } = lossOf({ ...spec, ignores: true }, logits, labels);
  const prediction = argmax(logits);
  return {
    outputs: { loss, prediction, confusion: confusionMatrix(labels, prediction, { classes, ignoreLabel }) },
  };
}

/** The frozen encoder alone: input `image` `[N, H, W, 3]`, outputs named as {@link skipInput}. */
export function encoder(spec: Pick<NetworkSpec, "batchSize" | "imageSize" | "encoder" | "precision">): Goals {
  const image = cast(imageInput(new Graph(), spec), spec.precision ?? "f32");
  const skips = unetEncoder(image, { training: false, trainableEncoder: false, encoder: spec.encoder });
  const named = Object.entries(skips);
  return { outputs: Object.fromEntries(named.map(([name, skip]) => [skipInput(name), cast(skip, "f32")])) };
}

/** Of the input that takes a skip: `skip_pool2_relu`. */
export const skipInput = (name: string): string => `skip_${name}`;

/** Inputs in place of `image`: each of `skipsOf` `[N, H/stride, W/stride, channels]`, called as {@link skipInput} says. */
function skipInputs(
  graph: Graph,
  spec: Pick<NetworkSpec, "batchSize" | "imageSize" | "encoder">,
  precision: Precision,
): Skips {
  const { batchSize } = spec;
  const { height, width } = toSize(spec.imageSize);
  const inputs = skipsOf(encoderOf(spec)).map(({ name, stride, channels }): [string, Tensor] => {
    const shape = [batchSize, height / stride, width / stride, channels];
    return [name, cast(graph.input(skipInput(name), shape), precision)];
  });
  return Object.fromEntries(inputs);
}

type BatchShape = Pick<NetworkSpec, "batchSize" | "imageSize">;

const imageInput = (graph: Graph, spec: BatchShape): Tensor => graph.input("image", [...pixelsOf(spec), 3]);

const labelsInput = (graph: Graph, spec: BatchShape): Tensor => graph.input("labels", pixelsOf(spec), "u32");

function pixelsOf({ batchSize, imageSize }: BatchShape): [number, number, number] {
  const { height, width } = toSize(imageSize);
  return [batchSize, height, width];
}

/** In half precision what is fed is cast to it, and every op behind keeps it. */
function logitsOf(graph: Graph, spec: NetworkSpec, options: UNetOptions, from: Beginning): Tensor {
  const { precision = "f32" } = spec;
  if (from === "image") return unet(cast(imageInput(graph, spec), precision), options);
  return unetDecoder(skipInputs(graph, spec, precision), options);
}
