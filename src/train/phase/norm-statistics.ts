/**
 * @file Moving statistics estimated anew (`--bn-reestimate`): "precise batch norm" (Wu & Johnson 2021, "Rethinking 'Batch' in
 * BatchNorm", §3). What a batch norm has seen in passing is of weights of many steps; this is of the weights as they are: mean and biased
 * variance of all values of some training batches. How far the batches' means lie apart is part of the variance, which that of each batch
 * alone leaves out, and it is all of it where a batch has one value a channel.
 */
import type { SegmentationDataset } from "../../data/dataset.ts";
import { hash } from "../../data/random.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { Graph } from "../../graph/graph.ts";
import type { Goals } from "../../graph/plan.ts";
import { compile } from "../../graph/compile.ts";
import type { Feeds, Program } from "../../graph/program.ts";
import type { Variables } from "../../graph/variables.ts";
import type { Phase } from "../../runs/phase.ts";
import type { TrainerOptions } from "../trainer-options.ts";
import { microBatches, microBatchSize } from "./accumulation.ts";
import type { MicroBatch } from "./accumulation.ts";
import { AVERAGE } from "./averaging.ts";
import { BatchNormExchange } from "./batch-norm-exchange.ts";
import { FeatureStack } from "./features.ts";
import type { FrozenEncoder } from "./frozen-encoder.ts";
import { dropsOut, synchronizes, trainedNetwork } from "./programs.ts";
import type { StepSpec } from "./programs.ts";
import { batchStream } from "./stream.ts";

/** Keeps the batches of an estimate apart from those that are trained on. */
const ESTIMATE = 0x7e57;

/** Of the stream of batches that are drawn for the estimate of an epoch. */
export const estimateSeed = (seed: number, epoch: number): number => hash(seed, ESTIMATE, epoch);

/**
 * What takes a batch of `spec.batchSize` photos into the statistics: the network as the phase trains it, of which nothing but the moving
 * statistics changes. Inputs `image` (or the skips, as a step's), `kept` `[]`, the share of those before, (k − 1)/k for the k-th
 * batch, and `step` as a step has it.
 *
 * @returns null where the phase trains no batch norm that normalizes by its batch.
 */
export function statisticsGoals(spec: StepSpec, phase: Phase): Goals | null {
  const graph = new Graph();
  trainedNetwork(graph, spec, phase, graph.input("kept", []));
  const updates = graph.nodes.filter(({ op }) => op.automatic);
  return updates.length === 0 ? null : { outputs: {}, updates };
}

/** Estimates the moving statistics of the norms that a phase trains; those that are frozen it leaves alone. */
export class NormStatistics {
  readonly #gpu: Gpu;
  readonly #variables: Variables;
  readonly #options: TrainerOptions;
  readonly #phase: Phase;
  readonly #stack: FeatureStack;
  readonly #program: Program;

  private constructor(
    gpu: Gpu,
    variables: Variables,
    options: TrainerOptions,
    phase: Phase,
    program: Program,
  ) {
    this.#gpu = gpu;
    this.#variables = variables;
    this.#options = options;
    this.#phase = phase;
    this.#stack = new FeatureStack(options);
    this.#program = program;
  }

  /**
   * @returns null where nothing is to be estimated.
   * @throws GpuError when it does not fit into memory or a shader does not compile.
   */
  static async create(
    gpu: Gpu,
    variables: Variables,
    options: TrainerOptions,
    phase: Phase,
  ): Promise<NormStatistics | null> {
    if ((options.bnReestimate ?? 0) === 0) return null;
    const goals = statisticsGoals({ ...options, batchSize: microBatchSize(options) }, phase);
    if (goals === null) return null;
    const program = await compile(gpu, { ...goals, variables, tileFor: options.tileFor });
    return new NormStatistics(gpu, variables, options, phase, program);
  }

  /**
   * Estimates them over `bnReestimate` whole batches, drawn and augmented as training draws them, a micro-batch at a time where steps are made
   * of such. Where norms are over the micro-batches of all ranks, each rank takes its own of them. With averaged weights it is the averages that the batches go through, and theirs are the statistics.
   *
   * @param epoch decides with the seed which batches these are.
   * @param encoder takes its part where features are cached.
   */
  async estimate(training: SegmentationDataset, epoch: number, encoder: FrozenEncoder | null): Promise<void> {
    this.#variables.exchange(AVERAGE);
    try {
      await this.#estimate(training, epoch, encoder);
    } finally {
      this.#variables.exchange(AVERAGE);
    }
  }

  async #estimate(
    training: SegmentationDataset,
    epoch: number,
    encoder: FrozenEncoder | null,
  ): Promise<void> {
    const { bnReestimate: wanted = 0, seed, signal } = this.#options;
    const size = microBatchSize(this.#options);
    const drops = dropsOut(this.#options, this.#phase);
    const { ranks, accumulate = 1 } = this.#options;
    const together = ranks && synchronizes(this.#options) ? ranks : undefined;
    const onHost = together && new BatchNormExchange(together).ofBatch(size);
    // Of the micro-batches of a batch: this rank's, one at a time with those of the others, while all have a whole one.
    const taken = (parts: readonly MicroBatch[]): readonly MicroBatch[] => {
      const isWhole = (part: MicroBatch | undefined): boolean => part?.count === size;
      if (!together) return parts.filter(isWhole);
      const each = accumulate / together.size;
      const [first, last] = [together.rank * each, (together.size - 1) * each];
      return parts.slice(first, first + each).filter((_, i) => isWhole(parts.at(last + i)));
    };
    const batches = batchStream(this.#gpu, training, this.#options, {
      seed: estimateSeed(seed, epoch),
      dropRemainder: true,
    });
    let seen = 0;
    try {
      for (let drawn = 0; drawn < wanted; drawn++) {
        signal?.throwIfAborted();
        const { value: batch } = await batches.next();
        if (!batch) return;
        const features = encoder ? await encoder.features(batch, batch.identities) : undefined;
        for (const part of taken(microBatches({ ...batch, features }, size))) {
          const feeds: Feeds = {
            ...(part.features ? this.#stack.fill(part.features) : { image: part.images }),
            kept: Float32Array.of(seen / (seen + 1)),
            ...(drops && { step: Uint32Array.of(seen) }),
          };
          // Behind the last norm nothing is computed: a skip that only the head reads is no input.
          const fed = this.#program.plan.inputs.map(({ name }) => [name, feeds[name]]);
          await this.#program.run(Object.fromEntries(fed) as Feeds, undefined, { onHost });
          seen += 1;
          // Nothing is read that would be waited for.
          await this.#gpu.idle();
        }
        batches.recycle(batch);
      }
    } finally {
      await batches.return();
    }
  }

  destroy(): void {
    this.#program.destroy();
  }
}
