import { applySteps } from "./augment/random.ts";
import type { AugmentationSteps } from "./augment/random.ts";
import { emptyBatch, putSample } from "./batch.ts";
import type { BatchArrays, SampleNumbers } from "./batch.ts";
import type { Sample, SegmentationDataset } from "./dataset.ts";
import type { Size } from "./resize.ts";
import { share } from "./shared-sample.ts";

/** How a sample is made of another: what a worker thread is told. Plain data but for the samples' shared memory. */
export interface SampleRecipe {
  readonly sample: Sample;
  readonly steps: AugmentationSteps;
  /** Whether the data set wants the result, for the next time. */
  readonly wanted?: boolean;
}

/** A data set that can say how its samples are made, so that worker threads make them. */
export interface RecipeDataset extends SegmentationDataset {
  /**
   * How sample `index` is made, from one in memory.
   * @throws DataError (as a rejection) as `load` does.
   */
  recipe(index: number): Promise<SampleRecipe>;
  /** Hands over sample `index`, made by its recipe. */
  keep(index: number, sample: Sample): void;
}

/** A batch as a worker thread makes it: `augment` of the sample that each recipe gives. */
export interface BatchRecipe extends SampleNumbers {
  readonly imageSize: Size;
  /** Arrays to write into, of the batch's size; new ones unless given. */
  readonly into?: BatchArrays | undefined;
  readonly samples: readonly {
    readonly recipe: SampleRecipe;
    readonly augment: AugmentationSteps;
    /** The sample to mix in, where `augment` mixes. */
    readonly other?: SampleRecipe | undefined;
  }[];
}

/** A batch, and the samples for which the recipes say `wanted`, in memory that all threads see. */
export interface MadeBatch extends BatchArrays {
  /** By their places in the batch. */
  readonly wanted: ReadonlyMap<number, Sample>;
}

/** Lays out the samples of the recipes as a batch. */
export async function makeBatch({
  imageSize,
  normalization,
  ignores,
  into,
  samples,
}: BatchRecipe): Promise<MadeBatch> {
  const batch = into ?? emptyBatch(samples.length, imageSize);
  const wanted = new Map<number, Sample>();
  for (const [position, { recipe, augment, other }] of samples.entries()) {
    const sample = await applySteps(recipe.sample, recipe.steps);
    if (recipe.wanted) wanted.set(position, share(sample));
    const mixedIn = other && (await applySteps(other.sample, other.steps));
    putSample(batch, position, await applySteps(sample, augment, mixedIn), { normalization, ignores });
  }
  return { ...batch, wanted };
}

export const canTellRecipes = (dataset: SegmentationDataset): dataset is RecipeDataset => "recipe" in dataset;
