import type { TrainingBatch } from "../../data/batches.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Plan } from "../../graph/plan.ts";
import { compile } from "../../graph/compile.ts";
import type { Program, Results } from "../../graph/program.ts";
import type { RunOptions } from "../../graph/tap-reader.ts";
import type { Variables } from "../../graph/variables.ts";
import type { Collectives } from "../../mpi/collectives.ts";
import { accumulatedStep, microBatchSize, weightOf } from "./accumulation.ts";
import { BatchNormExchange } from "./batch-norm-exchange.ts";
import { FeatureStack } from "./features.ts";
import { FrozenEncoder } from "./frozen-encoder.ts";
import { synchronizes, takesSkips } from "./programs.ts";
import type { StepSpec } from "./programs.ts";
import { NO_EXCHANGE, RankExchange } from "./rank-exchange.ts";
import type { ExchangeTimes } from "./rank-exchange.ts";
import { accumulates, passGoals, photosOf, shareOf, stepPasses, updateFeeds } from "./step-passes.ts";
import type { PreparedBatch, StepPass, StepPlace } from "./step-passes.ts";
import type { Phase } from "../../runs/phase.ts";
import { accumulatedPlan } from "../forecast/step-plan.ts";

export interface StepOutcome {
  readonly loss: number;
  readonly accuracy: number;
  /** Its gradients overflow in half precision although the loss is scaled by no more than 1; it changed nothing. */
  readonly exhausted: boolean;
  /** A rank wants the run to stop behind this step; see {@link StepPlace.stop}. */
  readonly stop: boolean;
}

/** What a pass has given, and its part of the step. */
interface PassOutcome {
  readonly share: number;
  readonly outputs: Results;
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
  /** Where several ranks share a step out. */
  #exchange: RankExchange | null = null;
  /** Where batch norms are over the micro-batches of all ranks. */
  #batchNorms: BatchNormExchange | null = null;

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
    const { ranks } = spec;
    try {
      if (accumulates(spec)) {
        const { apply } = accumulatedStep({ ...spec, batchSize: microBatchSize(spec) }, phase);
        steps.#apply = await compile(gpu, { ...apply, variables, tileFor: spec.tileFor });
      }
      await steps.#compile(spec.batchSize);
      if (ranks) {
        const pass = passGoals(spec, phase, microBatchSize(spec));
        const movesAlike = synchronizes(spec);
        steps.#exchange = new RankExchange(variables, ranks, pass, { wire: spec.wire, movesAlike });
        if (movesAlike) steps.#batchNorms = new BatchNormExchange(ranks);
      }
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
      ? accumulatedPlan(
          Math.ceil(this.#spec.batchSize / size / (this.#spec.ranks?.size ?? 1)),
          plan,
          this.#apply.plan,
        )
      : plan;
  }

  /** The milliseconds of exchanges with other ranks, those of `before` included. */
  exchangeSince(before: ExchangeTimes): ExchangeTimes {
    const { exchangedMs, overlappedMs } = this.#exchange?.times ?? NO_EXCHANGE;
    return {
      exchangedMs: before.exchangedMs + exchangedMs,
      overlappedMs: before.overlappedMs + overlappedMs,
    };
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
  async prepare(batch: TrainingBatch): Promise<PreparedBatch> {
    await this.#compile(batch.count);
    const weight = this.#spec.ranks ? await this.#weightOfAll(batch, this.#spec.ranks) : undefined;
    const features = await this.#encoder?.features(batch, batch.identities);
    return { ...batch, features, weight };
  }

  /** What the whole batch counts, of which each rank has a part. */
  async #weightOfAll(batch: TrainingBatch, ranks: Collectives): Promise<number> {
    if (!(this.#spec.ignores ?? false)) return batch.whole;
    const pixels = Float64Array.of(weightOf(batch, true));
    await ranks.meet("count of the pixels");
    await ranks.allReduce("count of the pixels", pixels);
    return pixels[0];
  }

  async #compile(count: number): Promise<void> {
    if (count === 0) return;
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
   * Makes one step: everything is submitted before this returns its promise, so several may be in flight; of ranks, one after the other,
   * for they exchange gradients in the middle of it.
   *
   * @param batch as {@link prepare} gave it.
   * @throws GpuError when the device failed.
   */
  async run(
    batch: PreparedBatch,
    { learningRate, step, stop = false }: Pick<StepPlace, "learningRate" | "step" | "stop">,
  ): Promise<StepOutcome> {
    const place = { phase: this.#phase, learningRate, step };
    await this.#exchange?.begin();
    const passes = stepPasses(batch, this.#spec, place, this.#classWeights, this.#stack);
    const ran = this.#batchNorms
      ? this.#runTogether(passes, this.#batchNorms, batch)
      : Promise.all(
          passes.map((pass, i) => {
            const tapped = i === passes.length - 1 ? this.#exchange?.tapped : undefined;
            return this.#runPass(pass, tapped && { tapped });
          }),
        );
    const meansOf = async (): Promise<Float64Array> => {
      const parts = await ran;
      const mean = (name: string): number =>
        parts.reduce((sum, { share, outputs }) => sum + share * outputs[name][0], 0);
      return Float64Array.of(mean("loss"), mean("accuracy"), stop ? 1 : 0);
    };
    const { ranks } = this.#spec;
    let means: Float64Array | undefined;
    if (ranks) {
      means = await meansOf();
      await this.#exchange!.end(shareOf(ranks, this.#spec, batch), means);
    }
    const wanted = this.#apply?.plan.outputs.has("exhausted") ? ["exhausted"] : [];
    const applied = this.#apply?.run(updateFeeds(this.#spec, place), wanted);
    const [end, parts] = await Promise.all([applied, ran]);
    const [loss, accuracy, stops] = means ?? (await meansOf());
    const exhausted = (end ?? parts.at(-1)!.outputs).exhausted?.[0] === 1;
    return { loss, accuracy, exhausted, stop: stops > 0 };
  }

  /** Submits a pass before it returns its promise, but for what waits for the host. */
  async #runPass({ photos, feeds, share }: StepPass, options?: RunOptions): Promise<PassOutcome> {
    const program = this.#programs.get(photos);
    if (!program) throw new Error(`A pass of ${photos} photos was not prepared.`);
    return { share, outputs: await program.run(feeds(), undefined, options) };
  }

  /** Runs passes at the same time as all ranks do; those that have fewer sit out. */
  async #runTogether(
    passes: readonly StepPass[],
    batchNorms: BatchNormExchange,
    { whole }: PreparedBatch,
  ): Promise<PassOutcome[]> {
    const size = microBatchSize(this.#spec);
    const [, most] = photosOf({ rank: 0, size: this.#spec.ranks!.size }, this.#spec, whole);
    const outcomes: PassOutcome[] = [];
    for (let round = 0; round * size < most; round++) {
      const pass = passes.at(round);
      if (pass) outcomes.push(await this.#runPass(pass, { onHost: batchNorms.ofBatch(pass.photos) }));
      else await batchNorms.sitOut(this.#programs.get(size)!.plan);
    }
    return outcomes;
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
