/** @file What the tests of all losses over the pixels of a batch share: running one, and a reference in float64. */
import { expect } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import type { LossAndAccuracy } from "../../../src/graph/ops/cross-entropy-and-accuracy.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import type { Plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { CompileOptions } from "../../../src/graph/compile.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { finiteDifferences } from "../../helpers/finite-differences.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

export const IGNORED = 0xffffffff;

/** The kernels that are written more than once, and how they share out the classes of a pixel. */
const KERNELS: readonly Partial<CompileOptions>[] = [
  { family: "register" },
  { family: "register", subgroupSize: 0 },
  { family: "workgroup" },
  { family: "workgroup", subgroupSize: 0 },
];

export interface LossCase {
  readonly shape: Shape;
  readonly logits: Float32Array;
  readonly labels: Uint32Array;
  readonly classWeights?: Float32Array | undefined;
  readonly ignoreLabel?: number | undefined;
  /** What the loss is multiplied by before it is differentiated. */
  readonly lossScale?: number | undefined;
  /** What the logits are stored in. */
  readonly precision?: "f16";
}

/** Logits about as far apart as a network's, and labels; every third pixel does not count where some do not. */
export function lossCase(
  shape: Shape,
  seed: number,
  options: { readonly ignored?: "some" | "all"; readonly classes?: readonly number[] } = {},
): LossCase {
  const classes = shape[shape.length - 1];
  const { ignored, classes: among = Array.from({ length: classes }, (_, i) => i) } = options;
  const pixels = sizeOf(shape.slice(0, -1));
  const labels = Uint32Array.from(randomInput([pixels], seed).data, (value, i) => {
    if (ignored === "all" || (ignored === "some" && (i + seed) % 3 === 0)) return IGNORED;
    return among[Math.floor(Math.abs(value) * 1e4) % among.length];
  });
  const logits = randomInput(shape, seed).data.map((value) => 2 * value);
  return { shape, logits, labels, ...(ignored && { ignoreLabel: IGNORED }) };
}

export type Apply = (
  logits: Tensor,
  labels: Tensor,
  options: { readonly classWeights?: Tensor | undefined; readonly ignoreLabel?: number | undefined },
) => LossAndAccuracy;

export interface LossValues {
  readonly loss: Float32Array;
  readonly accuracy: Float32Array;
  readonly gradient: Float32Array;
}

/** Loss, accuracy and the gradient by the logits, all of one program. */
export const runLoss = async (...run: Parameters<typeof runPlannedLoss>): Promise<LossValues> =>
  (await runPlannedLoss(...run)).values;

/** {@link runLoss}, and the program's plan. */
export async function runPlannedLoss(
  gpu: Gpu,
  apply: Apply,
  { shape, logits, labels, classWeights, ignoreLabel, lossScale, precision }: LossCase,
  options: Partial<CompileOptions> = {},
): Promise<{ values: LossValues; plan: Plan }> {
  const graph = new Graph();
  const x = graph.input("logits", shape);
  const weights = classWeights && graph.input("class_weights", [classWeights.length]);
  const truth = graph.input("labels", shape.slice(0, -1), "u32");
  const { loss, accuracy } = apply(cast(x, precision ?? "f32"), truth, {
    classWeights: weights,
    ignoreLabel,
  });
  const scaled = lossScale === undefined ? loss : scale(loss, graph.input("loss_scale", []));
  const outputs = { loss, accuracy, gradient: gradients(scaled, [x]).get(x)! };
  const program = await compile(gpu, { outputs, ...options });
  try {
    const result = (await program.run({
      logits,
      labels,
      ...(classWeights && { class_weights: classWeights }),
      ...(lossScale !== undefined && { loss_scale: Float32Array.of(lossScale) }),
    })) as Record<string, Float32Array>;
    const { loss, accuracy, gradient } = result;
    return { values: { loss, accuracy, gradient }, plan: program.plan };
  } finally {
    program.destroy();
  }
}

/** A pixel that counts: the probability of each class, and its label. */
export interface Pixel {
  readonly probabilities: Float64Array;
  readonly label: number;
}

/** The pixels of a batch that count. */
export function countedPixels(
  { shape, logits, labels, ignoreLabel }: LossCase,
  values: ArrayLike<number> = logits,
): Pixel[] {
  const classes = shape[shape.length - 1];
  return Array.from(labels, (label, pixel) => ({
    label,
    probabilities: softmax(Float64Array.from({ length: classes }, (_, i) => values[pixel * classes + i])),
  })).filter(({ label }) => label !== ignoreLabel);
}

/** The loss of a batch by its definition. */
export type Definition = (pixels: readonly Pixel[], classes: number, data: LossCase) => number;

/** Loss and accuracy by their definitions, and the loss's gradient by central differences, all in float64. */
export function referenceOf(define: Definition, data: LossCase) {
  const { logits, lossScale = 1, shape } = data;
  const classes = shape[shape.length - 1];
  const lossOf = (values: ArrayLike<number>): number => {
    const pixels = countedPixels(data, values);
    return pixels.length === 0 ? 0 : define(pixels, classes, data);
  };
  const [gradient] = finiteDifferences(([values]) => lossScale * lossOf(values), [logits]);
  const pixels = countedPixels(data);
  const hits = pixels.filter(
    ({ probabilities, label }) => probabilities.indexOf(Math.max(...probabilities)) === label,
  );
  return { loss: lossOf(logits), accuracy: pixels.length === 0 ? 0 : hits.length / pixels.length, gradient };
}

function softmax(logits: Float64Array): Float64Array {
  const largest = Math.max(...logits);
  const exponentials = logits.map((x) => Math.exp(x - largest));
  const total = exponentials.reduce((a, b) => a + b);
  return exponentials.map((x) => x / total);
}

/** Fails unless loss, accuracy and gradient of `apply` are those of the definition. */
export async function expectLoss(
  gpu: Gpu,
  apply: Apply,
  define: Definition,
  data: LossCase,
  options: Partial<CompileOptions> = {},
  tolerance = 1e-5,
): Promise<void> {
  const limits = { gradient: tolerance, loss: tolerance };
  await expectReference(gpu, apply, referenceOf(define, data), data, options, limits);
}

/** Fails unless it is the same in all {@link KERNELS}. */
export async function expectLossOfKernels(
  gpu: Gpu,
  apply: Apply,
  define: Definition,
  data: LossCase,
  lossTolerance = 1e-5,
): Promise<void> {
  const expected = referenceOf(define, data);
  for (const kernels of KERNELS)
    await expectReference(gpu, apply, expected, data, kernels, { gradient: 1e-5, loss: lossTolerance });
}

async function expectReference(
  gpu: Gpu,
  apply: Apply,
  expected: ReturnType<typeof referenceOf>,
  data: LossCase,
  options: Partial<CompileOptions>,
  limits: { readonly gradient: number; readonly loss: number },
): Promise<void> {
  const { loss, accuracy, gradient } = await runLoss(gpu, apply, data, options);
  // Next to 1, because a loss of almost nothing is a difference of numbers that are not.
  expectClose([loss[0], 1], [expected.loss, 1], limits.loss, "the loss");
  expectClose([accuracy[0], 1], [expected.accuracy, 1], 1e-6, "the accuracy");
  // Next to a hundredth of what a pixel may have at most: of one that is all but certain it is a difference of numbers next to 1.
  const next = (data.lossScale ?? 1) / 100 / data.labels.length;
  // Finite differences leave some 1e-9.
  expectClose([...gradient, next], [...expected.gradient, next], limits.gradient, "the gradient");
}

/** Fails unless a batch in which no pixel counts has loss 0, accuracy 0 and no gradient. */
export async function expectNothing(gpu: Gpu, apply: Apply): Promise<void> {
  const { loss, accuracy, gradient } = await runLoss(gpu, apply, lossCase([2, 3, 5], 1, { ignored: "all" }));
  expect([...loss, ...accuracy, ...gradient].every((value) => Math.abs(value) === 0)).toBe(true);
}

/** The classes that some pixel has. */
export const presentClasses = (pixels: readonly Pixel[]): number[] => [
  ...new Set(pixels.map(({ label }) => label)),
];

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
