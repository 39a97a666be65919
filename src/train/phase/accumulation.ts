/**
 * @file Steps in micro-batches, for batches whose activations do not fit into memory at once.
 *
 * A step of B photos in N micro-batches runs two programs over the same variables: one adds the gradients of B/N photos,
 * each scaled by its share of the step's pixels that count, into one accumulator a parameter; the other, once they hold the mean, lets
 * the optimizer read them as if they were the gradients and clears them. What the large batch would give comes of it but
 * for batch norms: these see the statistics of a micro-batch, and their moving statistics move N times a step.
 */
import { IGNORED_LABEL } from "../../data/batch.ts";
import type { Batch } from "../../data/batch.ts";
import type { Tensor } from "../../graph/graph.ts";
import { zeros } from "../../graph/initializers.ts";
import { fill } from "../../graph/ops/fill.ts";
import { accumulate, clear } from "../../graph/ops/accumulate.ts";
import type { Goals } from "../../graph/plan.ts";
import type { Features } from "./features.ts";
import { accumulateInBuckets } from "./gradient-buckets.ts";
import { optimizerUpdates, synchronizes, trainingPass } from "./programs.ts";
import type { Learning, StepSpec } from "./programs.ts";
import type { Phase } from "../../runs/phase.ts";

/** Photos that a step takes at a time. */
export const microBatchSize = ({ batchSize, accumulate = 1 }: StepSpec): number =>
  Math.ceil(batchSize / accumulate);

/** What a step in micro-batches runs. */
export interface AccumulatedStep {
  /**
   * For each micro-batch. Inputs `image`, `labels` (and `class_weights`) as a whole step's, and `share` `[]`, the
   * micro-batch's part of the step's pixels that count ({@link sharesOf}); outputs `loss` and `accuracy`, means over the micro-batch.
   */
  readonly gradient: Goals;
  /** Ends the step. Input `learning_rate` `[]`; output `gradient_norm` (of the mean) when gradients are clipped. */
  readonly apply: Goals;
}

/** @param spec of one micro-batch: `batchSize` is the number of its photos. */
export function accumulatedStep(spec: StepSpec, phase: Phase): AccumulatedStep {
  const { outputs, gradients, scaling } = trainingPass(spec, phase);
  const learn = (means: ReadonlyMap<Tensor, Tensor>): Learning =>
    optimizerUpdates(means, spec, phase, scaling);
  return throughAccumulators(outputs, gradients, learn, {
    inBuckets: spec.ranks !== undefined,
    shared: synchronizes(spec),
  });
}

/**
 * Puts accumulators between the gradients and what `learn` makes of them. Accumulators are variables of the group
 * `accumulator`, named after their parameters; they are zero between two steps, so no checkpoint need keep them. An input
 * `share` is added to the graph.
 *
 * @param options.shared whether the gradients are multiplied by `share` already.
 * @param options.inBuckets whether the accumulators are taps, which ranks sum up while the backward pass goes on.
 */
export function throughAccumulators(
  outputs: Goals["outputs"],
  gradients: ReadonlyMap<Tensor, Tensor>,
  learn: (gradients: ReadonlyMap<Tensor, Tensor>) => Learning,
  { inBuckets = false, shared = false } = {},
): AccumulatedStep {
  const [[{ graph }]] = gradients;
  const means = new Map<Tensor, Tensor>();
  const terms = new Map<Tensor, Tensor>();
  for (const [parameter, gradient] of gradients) {
    const mean = graph.slotOf(parameter, "accumulated_gradient", zeros, { group: "accumulator" });
    means.set(parameter, mean);
    terms.set(mean, gradient);
  }
  const share = shared ? fill(graph, [], 1) : graph.input("share", []);
  const gradient = inBuckets
    ? { outputs, taps: accumulateInBuckets(terms, share) }
    : { outputs, updates: [accumulate(terms, share)] };
  const learning = learn(means);
  return { gradient, apply: { ...learning, updates: [...learning.updates, clear([...means.values()])] } };
}

/** A part of a batch. */
export interface MicroBatch extends Pick<Batch, "images" | "labels" | "count"> {
  /** What the encoder has made of each photo, for steps that take that. */
  readonly features?: readonly Features[] | undefined;
}

/** Cuts a batch into parts of `size` photos, the last one of what is left; they look into the batch's own numbers. */
export function microBatches({ images, labels, count, features }: MicroBatch, size: number): MicroBatch[] {
  const [perImage, perMask] = [images.length / count, labels.length / count];
  const parts: MicroBatch[] = [];
  for (let first = 0; first < count; first += size) {
    const end = Math.min(first + size, count);
    parts.push({
      images: images.subarray(first * perImage, end * perImage),
      labels: labels.subarray(first * perMask, end * perMask),
      count: end - first,
      features: features?.slice(first, end),
    });
  }
  return parts;
}

/**
 * The part of a batch's pixels that each of its `parts` has: of those that count, where some do not, or of all. None has a
 * part where no pixel counts.
 *
 * @param all what the whole batch counts ({@link weightOf}), where `parts` are not all of it.
 */
export function sharesOf(
  parts: readonly MicroBatch[],
  ignores: boolean,
  all = parts.reduce((sum, part) => sum + weightOf(part, ignores), 0),
): number[] {
  return parts.map((part) => (all === 0 ? 0 : weightOf(part, ignores) / all));
}

/** What a part of a batch counts: its pixels that do, where some do not, or its photos. */
export const weightOf = ({ labels, count }: MicroBatch, ignores: boolean): number =>
  ignores ? countedPixels(labels) : count;

function countedPixels(labels: Uint32Array): number {
  let count = 0;
  for (const label of labels) if (label !== IGNORED_LABEL) count++;
  return count;
}
