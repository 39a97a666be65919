import type { TrainingBatch } from "../data/batches.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Plan } from "../graph/plan.ts";
import type { Feeds, Program } from "../graph/program.ts";
import type { Variables } from "../graph/variables.ts";
import { compileTrainingStep } from "./programs.ts";
import type { Phase, StepSpec } from "./programs.ts";

export interface StepOutcome {
  readonly loss: number;
  readonly accuracy: number;
}

/** The training step of one phase, for batches of any size: a smaller one at the end of a pass has a program of its own. */
export class PhaseSteps {
  readonly #gpu: Gpu;
  readonly #variables: Variables;
  readonly #spec: StepSpec;
  readonly #phase: Phase;
  readonly #classWeights: Float32Array | null;
  readonly #program: Program;

  private constructor(
    gpu: Gpu,
    variables: Variables,
    spec: StepSpec,
    phase: Phase,
    classWeights: Float32Array | null,
    program: Program,
  ) {
    this.#gpu = gpu;
    this.#variables = variables;
    this.#spec = spec;
    this.#phase = phase;
    this.#classWeights = classWeights;
    this.#program = program;
  }

  static async create(
    gpu: Gpu,
    variables: Variables,
    spec: StepSpec,
    phase: Phase,
    classWeights: Float32Array | null,
  ): Promise<PhaseSteps> {
    const program = await compileTrainingStep(gpu, variables, spec, phase);
    return new PhaseSteps(gpu, variables, spec, phase, classWeights, program);
  }

  get plan(): Plan {
    return this.#program.plan;
  }

  /** Makes one step; several may be in flight. */
  async run(batch: TrainingBatch, learningRate: number): Promise<StepOutcome> {
    const feeds = stepFeeds(batch, learningRate, this.#classWeights);
    if (batch.count === this.#spec.batchSize) return outcome(await this.#program.run(feeds));
    const spec = { ...this.#spec, batchSize: batch.count };
    const program = await compileTrainingStep(this.#gpu, this.#variables, spec, this.#phase);
    try {
      return outcome(await program.run(feeds));
    } finally {
      program.destroy();
    }
  }

  destroy(): void {
    this.#program.destroy();
  }
}

/** What a training step is fed. */
export const stepFeeds = (
  { images, labels }: TrainingBatch,
  learningRate: number,
  classWeights: Float32Array | null,
): Feeds => ({
  image: images,
  labels,
  learning_rate: Float32Array.of(learningRate),
  ...(classWeights && { class_weights: classWeights }),
});

const outcome = ({ loss, accuracy }: Record<string, Float32Array | Uint32Array>): StepOutcome => ({
  loss: loss[0],
  accuracy: accuracy[0],
});
