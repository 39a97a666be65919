import type { AugmentationSteps } from "./augment.ts";
import type { BatchArrays, SpareArrays } from "./batch.ts";
import { mapConcurrently } from "./concurrency.ts";
import type { SegmentationDataset } from "./dataset.ts";
import type { Normalization } from "./normalize.ts";
import { Later } from "./prefetch.ts";
import { canTellRecipes } from "./recipe.ts";
import type { BatchRecipe, MadeBatch, SampleRecipe } from "./recipe.ts";
import type { Size } from "./resize.ts";
import { share } from "./shared-sample.ts";
import { WorkerPool } from "./worker-pool.ts";

/**
 * Makes batches of a data set in worker threads. Samples are loaded, and kept, by the main thread; the threads read them
 * where they are, augment them and lay them out. The arithmetic is the main thread's, and so are the bits.
 */
export class BatchThreads {
  readonly #pool: WorkerPool<BatchRecipe, MadeBatch>;
  readonly #dataset: SegmentationDataset;
  readonly #normalization: Normalization;

  constructor(dataset: SegmentationDataset, normalization: Normalization, threads: number) {
    this.#dataset = dataset;
    this.#normalization = normalization;
    this.#pool = new WorkerPool(new URL("./batch-worker.mjs", import.meta.url), threads);
  }

  /** Whether a thread is up; batches are better made on the main thread until then. */
  get ready(): boolean {
    return this.#pool.ready;
  }

  /**
   * The batch of the samples `indices`, begun as soon as they are loaded.
   * @param steps the augmentation of each.
   * @param others the sample to mix into each, where its augmentation mixes.
   * @param imageSize of the samples once they are augmented.
   * @param spare of it arrays are taken to write the batch into.
   * @throws (as a rejection, of the batch or of its beginning) DataError as `load` does, and as `WorkerPool.run` does.
   */
  async begin(
    indices: readonly number[],
    steps: readonly AugmentationSteps[],
    others: readonly (number | undefined)[],
    { imageSize, spare }: { imageSize: Size; spare: SpareArrays },
  ): Promise<Later<BatchArrays>> {
    const recipes = await mapConcurrently(indices, (index) => this.#recipe(index));
    const mixedIn = await mapConcurrently(others, async (index) =>
      index === undefined ? undefined : this.#recipe(index),
    );
    const samples = recipes.map((recipe, position) => ({
      ...{ recipe, augment: steps[position], other: mixedIn[position] },
    }));
    const { ignores } = this.#dataset;
    const into = spare.take(indices.length, imageSize);
    const job = { imageSize, normalization: this.#normalization, ignores, into, samples };
    return new Later(this.#run(job, indices));
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #run(job: BatchRecipe, indices: readonly number[]): Promise<BatchArrays> {
    const { wanted, ...batch } = await this.#pool.run(
      job,
      job.into && [job.into.images.buffer, job.into.labels.buffer],
    );
    const dataset = this.#dataset;
    if (canTellRecipes(dataset)) {
      for (const [position, sample] of wanted) dataset.keep(indices[position], sample);
    }
    return batch;
  }

  async #recipe(index: number): Promise<SampleRecipe> {
    const dataset = this.#dataset;
    if (!canTellRecipes(dataset)) return { sample: share(await dataset.load(index)), steps: { names: [] } };
    const { sample, ...recipe } = await dataset.recipe(index);
    return { sample: share(sample), ...recipe };
  }
}
