/** @file What a step runs the network over: the whole batch, or this process's micro-batches one after the other. */
import type { Goals } from "../../graph/plan.ts";
import type { Feeds } from "../../graph/program.ts";
import type { Collectives } from "../../mpi/collectives.ts";
import type { Phase } from "../../runs/phase.ts";
import { accumulatedStep, microBatches, microBatchSize, sharesOf } from "./accumulation.ts";
import type { MicroBatch } from "./accumulation.ts";
import { averagingRateAt } from "./averaging.ts";
import { FeatureStack } from "./features.ts";
import { dropsOut, trainingStep } from "./programs.ts";
import type { StepSpec } from "./programs.ts";
import type { StepShare } from "./rank-exchange.ts";

/** A batch as a step takes it. */
export interface PreparedBatch extends MicroBatch {
  /** Photos of the whole batch, of which this may be a rank's part. */
  readonly whole: number;
  /** What the whole batch counts (`weightOf`), where this is a rank's part of it. */
  readonly weight?: number | undefined;
}

/**
 * Which photos of a batch of `count` a rank takes, from the first number up to the second: those of its micro-batches, the same number for
 * each rank, so that the last ranks have fewer photos where a batch is not a multiple of them.
 */
export function photosOf(
  { rank, size }: Pick<Collectives, "rank" | "size">,
  spec: StepSpec,
  count: number,
): [number, number] {
  const each = (microBatchSize(spec) * (spec.accumulate ?? 1)) / size;
  return [Math.min(rank * each, count), Math.min((rank + 1) * each, count)];
}

/** Which of a step's micro-batches are this rank's. */
export function shareOf(ranks: Collectives, spec: StepSpec, { count, whole }: PreparedBatch): StepShare {
  const size = microBatchSize(spec);
  const [from] = photosOf(ranks, spec, whole);
  const first = Math.ceil(from / size);
  return { first, end: first + Math.ceil(count / size), all: Math.ceil(whole / size) };
}

/** Whether a step is made in micro-batches. */
export const accumulates = ({ accumulate = 1 }: StepSpec): boolean => accumulate > 1;

/** Where a step is in a run. */
export interface StepPlace {
  readonly phase: Phase;
  readonly learningRate: number;
  /** Steps of the run that came before, on which it depends what dropout drops and how far averages move. */
  readonly step: number;
  /** This rank wants the run to stop behind this step: then all ranks hear of it in its outcome. Not by default. */
  readonly stop?: boolean;
}

/** One run of the network, forth and back, of a step: the whole batch's or a micro-batch's. */
export interface StepPass {
  readonly photos: number;
  /** Its part of the step's pixels that count. */
  readonly share: number;
  /** To be called when the pass is run: where features are fed, every pass writes them into the same arrays. */
  readonly feeds: () => Feeds;
}

/**
 * The passes that a step over `batch` makes.
 *
 * @param stack lays out the batch's features, if it has any.
 */
export function stepPasses(
  batch: PreparedBatch,
  spec: StepSpec,
  place: StepPlace,
  classWeights: Float32Array | null,
  stack = new FeatureStack(spec),
): StepPass[] {
  const { phase, step } = place;
  const parts = accumulates(spec) ? microBatches(batch, microBatchSize(spec)) : [batch];
  const whole = parts.length === 1 && spec.ranks === undefined;
  const shares = whole ? [1] : sharesOf(parts, spec.ignores ?? false, batch.weight);
  const first = spec.ranks ? shareOf(spec.ranks, spec, batch).first : 0;
  return parts.map(({ images, labels, count, features }, i) => {
    const share = shares[i];
    return {
      photos: count,
      share,
      feeds: () => ({
        ...(features ? stack.fill(features) : { image: images }),
        labels,
        ...(accumulates(spec) ? { share: Float32Array.of(share) } : updateFeeds(spec, place)),
        ...(classWeights && { class_weights: classWeights }),
        ...(dropsOut(spec, phase) && { step: Uint32Array.of(step * (spec.accumulate ?? 1) + first + i) }),
      }),
    };
  });
}

/** What the updates at the end of a step take. */
export const updateFeeds = ({ ema = null }: StepSpec, { learningRate, step }: StepPlace): Feeds => ({
  learning_rate: Float32Array.of(learningRate),
  ...(ema !== null && { ema_rate: Float32Array.of(averagingRateAt(step, ema)) }),
});

/** What a pass over `photos` photos computes. */
export function passGoals(spec: StepSpec, phase: Phase, photos: number): Goals {
  const one = { ...spec, batchSize: photos };
  return accumulates(spec) ? accumulatedStep(one, phase).gradient : trainingStep(one, phase);
}
