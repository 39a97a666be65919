import { deserialize, serialize } from "node:v8";
import { evaluationBatches } from "../../data/batches.ts";
import type { SegmentationDataset } from "../../data/dataset.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Program } from "../../graph/program.ts";
import type { Variables } from "../../graph/variables.ts";
import type { Collectives } from "../../mpi/collectives.ts";
import { microBatchSize } from "./accumulation.ts";
import { AVERAGE } from "./averaging.ts";
import { evaluatePart, evaluationOf } from "./evaluate.ts";
import type { EvaluationPart } from "./evaluate.ts";
import type { Evaluation } from "../../runs/evaluation.ts";
import { FeatureStack } from "./features.ts";
import type { FrozenEncoder } from "./frozen-encoder.ts";
import { compileEvaluator } from "./programs.ts";
import type { NetworkSpec } from "./programs.ts";
import type { TrainerOptions } from "../trainer-options.ts";

/** Photos whose predictions an evaluation keeps, for the figures. */
const SHOWN = 4;

/** What evaluates the network during a run: a program for photos, and one for their features while these are cached. */
export class Validation {
  readonly #gpu: Gpu;
  readonly #variables: Variables;
  readonly #options: TrainerOptions;
  readonly #stack: FeatureStack;
  readonly #whole: Program;
  #decoder: Program | null = null;

  private constructor(gpu: Gpu, variables: Variables, options: TrainerOptions, whole: Program) {
    this.#gpu = gpu;
    this.#variables = variables;
    this.#options = options;
    this.#stack = new FeatureStack(options);
    this.#whole = whole;
  }

  /** @throws GpuError when it does not fit into memory or a shader does not compile. */
  static async create(gpu: Gpu, variables: Variables, options: TrainerOptions): Promise<Validation> {
    const whole = await compileEvaluator(gpu, variables, evaluatorSpec(options));
    return new Validation(gpu, variables, options, whole);
  }

  /**
   * Runs all photos through the network as it is used, with the averages of its weights where there are any.
   *
   * @param encoder takes the encoder's part, with features of photos it has seen before.
   * @param ranks share the photos out; each is given what all of them came to.
   */
  async evaluate(
    photos: SegmentationDataset,
    { encoder = null, ranks }: { encoder?: FrozenEncoder | null; ranks?: Collectives | undefined } = {},
  ): Promise<Evaluation> {
    const { classes } = this.#options;
    this.#variables.exchange(AVERAGE);
    try {
      const part = await this.#evaluate(photos, encoder, ranks);
      return evaluationOf(ranks ? await gatherParts(ranks, part) : [part], { classes, keep: SHOWN });
    } finally {
      this.#variables.exchange(AVERAGE);
    }
  }

  async #evaluate(
    photos: SegmentationDataset,
    encoder: FrozenEncoder | null,
    { rank, size: parts }: Pick<Collectives, "rank" | "size"> = { rank: 0, size: 1 },
  ): Promise<EvaluationPart> {
    const { normalization, classes, signal } = this.#options;
    const { batchSize } = evaluatorSpec(this.#options);
    const each = Math.ceil(photos.size / parts);
    const indices = [...Array(photos.size).keys()].slice(rank * each, (rank + 1) * each);
    if (indices.length === 0 && photos.size > 0) return nothingEvaluated(classes);
    const batches = evaluationBatches(photos, { batchSize, normalization, signal, indices });
    const options = { classes, size: photos.imageSize, keep: SHOWN };
    if (!encoder) return evaluatePart(this.#whole, batches, options);
    this.#decoder ??= await compileEvaluator(
      this.#gpu,
      this.#variables,
      evaluatorSpec(this.#options),
      "skips",
    );
    return evaluatePart(this.#decoder, batches, {
      ...options,
      feed: async (batch) => {
        // Training photos go by other names.
        const identities = batch.indices.map((index) => `validation ${index}`);
        return this.#stack.fill(await encoder.features(batch, identities));
      },
    });
  }

  /** Frees what only a phase with cached features needs. */
  endPhase(): void {
    this.#decoder?.destroy();
    this.#decoder = null;
  }

  destroy(): void {
    this.endPhase();
    this.#whole.destroy();
  }
}

async function gatherParts(ranks: Collectives, part: EvaluationPart): Promise<EvaluationPart[]> {
  const all = await ranks.allGather("validation", serialize(part));
  return all.map((bytes) => deserialize(bytes) as EvaluationPart);
}

const nothingEvaluated = (classes: number): EvaluationPart => ({
  ...{ sum: 0, counts: new Float64Array(classes ** 2), count: 0, predictions: [] },
  judged: { photos: [], worst: [], best: [] },
});

/** What the programs of a {@link Validation} are made for. */
export const evaluatorSpec = (options: TrainerOptions): NetworkSpec => ({
  ...options,
  imageSize: options.validationSize ?? options.imageSize,
  batchSize: microBatchSize(options),
});
