import type { TrainingBatch } from "../../data/batches.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Goals, Plan } from "../../graph/plan.ts";
import { compile } from "../../graph/compile.ts";
import type { Feeds, Program } from "../../graph/program.ts";
import type { Variables } from "../../graph/variables.ts";
import { accumulatedStep, microBatches, microBatchSize, sharesOf } from "./accumulation.ts";
import type { MicroBatch } from "./accumulation.ts";
import { averagingRateAt } from "./averaging.ts";
import { FeatureStack } from "./features.ts";
import { FrozenEncoder } from "./frozen-encoder.ts";
import { dropsOut, takesSkips, trainingStep } from "./programs.ts";
import type { StepSpec } from "./programs.ts";
import type { Phase } from "../../runs/phase.ts";
import { accumulatedPlan } from "../forecast/step-plan.ts";

export interface StepOutcome {
  readonly loss: number;
  readonly accuracy: number;
  /** Its gradients overflow in half precision although the loss is scaled by no more than 1; it changed nothing. */
  readonly exhausted: boolean;
}

/**
 * The training step of one phase, for batches of any size: whole or, where it accumulates, in micro-batches. A size other
 * than the usual one, as at the end of a pass, has a program of its own. Where features are cached, the programs are the
 * decoder's, and the encoder has one of its own.
 */
export class PhaseSteps {
  readonly #gpu: Gpu;
  readonly #variables: Variables;
  readonly #spec: StepSpec;
  readonly #phase: Phase;
  readonly #classWeights: Float32Array | null;
  readonly #stack: FeatureStack;
  /** By the number of photos they take. */
  readonly #programs = new Map<number, Program>();
  /** What ends a step in micro-batches; null where a step is one program. */
  #apply: Program | null = null;
  #encoder: FrozenEncoder | null = null;

  private constructor(
    gpu: Gpu,
    variables: Variables,
    spec: StepSpec,
    phase: Phase,
    classWeights: Float32Array | null,
  ) {
    this.#gpu = gpu;
    this.#variables = variables;
    this.#spec = spec;
    this.#phase = phase;
    this.#classWeights = classWeights;
    this.#stack = new FeatureStack(spec);
  }

  /**
   * Compiles what a step of `spec.batchSize` photos needs.
   *
   * @throws GpuError when it does not fit into memory or a shader does not compile.
   */
  static async create(
    gpu: Gpu,
    variables: Variables,
    spec: StepSpec,
    phase: Phase,
    classWeights: Float32Array | null,
  ): Promise<PhaseSteps> {
    const steps = new PhaseSteps(gpu, variables, spec, phase, classWeights);
    try {
      if (accumulates(spec)) {
        const { apply } = accumulatedStep({ ...spec, batchSize: microBatchSize(spec) }, phase);
        steps.#apply = await compile(gpu, { ...apply, variables, tileFor: spec.tileFor });
      }
      await steps.#compile(spec.batchSize);
      if (takesSkips(spec, phase)) steps.#encoder = await FrozenEncoder.create(gpu, variables, spec);
      return steps;
    } catch (error) {
      steps.destroy();
      throw error;
    }
  }

  /** The plan of a usual step. */
  get plan(): Plan {
    const size = microBatchSize(this.#spec);
    const { plan } = this.#programs.get(size)!;
    return this.#apply
      ? accumulatedPlan(Math.ceil(this.#spec.batchSize / size), plan, this.#apply.plan)
      : plan;
  }

  /** What encodes photos where features are cached; null elsewhere. */
  get encoder(): FrozenEncoder | null {
    return this.#encoder;
  }

  /**
   * Compiles what a batch needs and is not there yet and, where features are cached, encodes the photos that were not seen
   * before. What has been submitted goes on meanwhile. Not to be called again before it is done.
   *
   * @returns the batch as {@link run} takes it.
   */
  async prepare(batch: TrainingBatch): Promise<MicroBatch> {
    await this.#compile(batch.count);
    if (!this.#encoder) return batch;
    return { ...batch, features: await this.#encoder.features(batch, batch.identities) };
  }

  async #compile(count: number): Promise<void> {
    const usual = accumulates(this.#spec) ? Math.min(count, microBatchSize(this.#spec)) : count;
    for (const photos of [usual, count % usual]) {
      if (photos === 0 || this.#programs.has(photos)) continue;
      const goals = passGoals(this.#spec, this.#phase, photos);
      const program = await compile(this.#gpu, {
        ...goals,
        variables: this.#variables,
        tileFor: this.#spec.tileFor,
      });
      this.#programs.set(photos, program);
    }
  }

  /**
   * Makes one step: everything is submitted before this returns its promise, so several may be in flight.
   *
   * @param batch as {@link prepare} gave it.
   * @throws GpuError when the device failed.
   */
  async run(
    batch: MicroBatch,
    { learningRate, step }: Pick<StepPlace, "learningRate" | "step">,
  ): Promise<StepOutcome> {
    const place = { phase: this.#phase, learningRate, step };
    const passes = stepPasses(batch, this.#spec, place, this.#classWeights, this.#stack);
    const runs = passes.map(async ({ photos, feeds, share }) => {
      const program = this.#programs.get(photos);
      if (!program) throw new Error(`A step of ${batch.count} photos was not prepared.`);
      return { share, outputs: await program.run(feeds()) };
    });
    const wanted = this.#apply?.plan.outputs.has("exhausted") ? ["exhausted"] : [];
    const applied = this.#apply?.run(updateFeeds(this.#spec, place), wanted);
    const [parts, end] = await Promise.all([Promise.all(runs), applied]);
    const mean = (name: string): number =>
      parts.reduce((sum, { share, outputs }) => sum + share * outputs[name][0], 0);
    const last = end ?? parts[parts.length - 1].outputs;
    return {
      loss: mean("loss"),
      accuracy: mean("accuracy"),
      exhausted: last.exhausted?.[0] === 1,
    };
  }

  destroy(): void {
    for (const program of this.#programs.values()) program.destroy();
    this.#programs.clear();
    this.#apply?.destroy();
    this.#apply = null;
    this.#encoder?.destroy();
    this.#encoder = null;
  }
}

const accumulates = ({ accumulate = 1 }: StepSpec): boolean => accumulate > 1;

/** Where a step is in a run. */
export interface StepPlace {
  readonly phase: Phase;
  readonly learningRate: number;
  /** Steps of the run that came before, on which it depends what dropout drops and how far averages move. */
  readonly step: number;
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
  batch: MicroBatch,
  spec: StepSpec,
  place: StepPlace,
  classWeights: Float32Array | null,
  stack = new FeatureStack(spec),
): StepPass[] {
  const { phase, step } = place;
  const parts = accumulates(spec) ? microBatches(batch, microBatchSize(spec)) : [batch];
  const shares = parts.length === 1 ? [1] : sharesOf(parts, spec.ignores ?? false);
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
        ...(dropsOut(spec, phase) && { step: Uint32Array.of(step * (spec.accumulate ?? 1) + i) }),
      }),
    };
  });
}

/** What the updates at the end of a step take. */
const updateFeeds = ({ ema = null }: StepSpec, { learningRate, step }: StepPlace): Feeds => ({
  learning_rate: Float32Array.of(learningRate),
  ...(ema !== null && { ema_rate: Float32Array.of(averagingRateAt(step, ema)) }),
});

/** What a pass over `photos` photos computes. */
export function passGoals(spec: StepSpec, phase: Phase, photos: number): Goals {
  const one = { ...spec, batchSize: photos };
  return accumulates(spec) ? accumulatedStep(one, phase).gradient : trainingStep(one, phase);
}
