import { join } from "node:path";
import type { Batch } from "../data/batch.ts";
import { evaluationBatches } from "../data/batches.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import type { MaskInterpolation } from "../data/augment/geometry.ts";
import { subset } from "../data/subset.ts";
import { printSize } from "../image-size.ts";
import { FolderDataset } from "../data/folder-dataset.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { Variables } from "../graph/variables.ts";
import { restoreWeights } from "../train/checkpoint.ts";
import { ConfigError, readConfigFile, resolveConfig } from "../config/index.ts";
import type { Precision, TrainConfig } from "../config/index.ts";
import { evaluate } from "../train/phase/evaluate.ts";
import { BoundaryF1 } from "../runs/boundary-f1.ts";
import type { Evaluation } from "../runs/evaluation.ts";
import { ModelError, notFinite } from "./model.ts";
import type { Model } from "./model.ts";
import type { EvaluationSplit } from "./splits.ts";
import { namedOtherwise } from "../weights/class-names.ts";
import { compileEvaluator } from "../train/phase/programs.ts";
import { openData } from "../train/run-data.ts";

/** The photos to evaluate on, and how they were chosen. */
export interface EvaluationData {
  readonly dataset: SegmentationDataset;
  /** Where they lie; null when the model's run drew them. */
  readonly folder: string | null;
  readonly maskInterpolation: MaskInterpolation;
  /** What the user should know of it. */
  readonly notes: readonly string[];
}

export interface EvaluationChoice {
  /** A data set's folder; null for the one that the model's run had. */
  readonly data: string | null;
  readonly split: EvaluationSplit;
  /** Whether masks of lossy formats are taken; as the model's run took them by default. */
  readonly lossyMasks?: boolean | undefined;
  /** How `data` is read, in place of what the model's run was told. */
  readonly format?: TrainConfig["format"] | undefined;
  readonly labelMap?: TrainConfig["labelMap"] | undefined;
  readonly ignoreLabel?: TrainConfig["ignoreLabel"] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens and reads the photos at the model's image size, masks resized as in the model's run, or by nearest neighbour when it
 * lies in none.
 *
 * @throws ModelError when a run is needed and the model lies in none; DataError when the photos cannot be used, all of them
 *   at once; the signal's reason.
 */
export async function openEvaluationData(
  model: Model,
  { data, split, signal, ...asked }: EvaluationChoice,
): Promise<EvaluationData> {
  const { imageSize, resize, classNames } = model;
  const { config, problem } = await runConfig(model);
  // All photos of a folder can be had without the run's configuration, whatever ails it.
  const isOfFolder = split === "all" || split === "test";
  if (problem !== null && (!isOfFolder || data === null)) throw new ModelError(problem);
  const lossyMasks = asked.lossyMasks ?? config?.lossyMasks ?? false;
  const said: string[] = [];
  const onWarning = (sentence: string): void => void said.push(sentence);
  const folder = data ?? config?.data ?? null;
  if (isOfFolder && folder !== null) {
    const { labelMap = null, ignoreLabel = "auto" as const } = { ...config, ...omitUndefined(asked) };
    const format = asked.format ?? (folder === config?.data ? config.format : null);
    const opened = await FolderDataset.open(folder, {
      ...{ imageSize, resize, format, labelMap, ignoreLabel, lossyMasks, onWarning, signal },
      // A file of names says what the run's own data are called.
      classes: folder === config?.data ? config.classes : null,
      model: classNames,
      maskInterpolation: config?.maskInterpolation ?? "nearest",
    });
    refuseOtherClasses(model, opened, folder);
    const indices = split === "test" ? testPhotos(opened, folder) : [...opened.pairs.keys()];
    await opened.readAll({ indices, ...(signal && { signal }) });
    const dataset = subset(opened, indices);
    const notes = problem === null ? [] : [`${problem} Masks are resized by nearest neighbour.`];
    const { maskInterpolation } = opened;
    return { dataset, folder, maskInterpolation, notes: [...notes, ...said, ...namingNotes(model, dataset)] };
  }
  if (config === null) {
    throw new ModelError(
      data === null
        ? `${model.file} does not lie in the folder of a run, so there are no photos to begin with: give --data.`
        : `${model.file} does not lie in the folder of a run, so its split is not known: leave --split out to evaluate on ` +
            `all photos of ${data}.`,
    );
  }
  if (isOfFolder) {
    throw new ModelError(
      `The run ${model.run} drew its photos itself: give --data, or --split validation for those it held back.`,
    );
  }
  const own = {
    ...config,
    data: folder,
    imageSize: printSize(imageSize),
    resize,
    lossyMasks,
    cache: false,
    ...omitUndefined(asked),
  };
  const opened = await openData(own, onWarning, signal);
  await opened.read({ part: split, signal });
  const { photos, validation } = opened;
  const dataset = split === "training" ? photos : validation;
  const other = data !== null && data !== config.data;
  const notes = other
    ? [
        `The run had its photos from ${config.data ?? "nowhere, it drew them"}: the split is that one's only if ${data} holds the same.`,
      ]
    : [];
  refuseOtherClasses(model, dataset, folder ?? "the run's drawings");
  const { maskInterpolation } = opened;
  return { dataset, folder, maskInterpolation, notes: [...notes, ...said, ...namingNotes(model, dataset)] };
}

/** @throws ModelError when the data keep no photos for tests */
function testPhotos({ pairs }: FolderDataset, folder: string): number[] {
  const indices = pairs.flatMap(({ part }, index) => (part === "test" ? [index] : []));
  if (indices.length > 0) return indices;
  throw new ModelError(
    `${folder} has no part of its own for tests with labels: leave --split out to evaluate on all its photos.`,
  );
}

const omitUndefined = <T extends object>(given: T): Partial<T> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;

/** @throws ModelError when the model tells other classes apart than the photos have */
function refuseOtherClasses({ file, classNames }: Model, dataset: SegmentationDataset, where: string): void {
  const [has, known] = [dataset.classNames.length, classNames.length];
  if (has === known) return;
  throw new ModelError(
    `${file} tells ${known} classes apart, and ${where} has ${has}: give photos of the model's classes, or bring them to these ` +
      `with --label-map.`,
  );
}

/** The configuration of the model's run, none when it lies in none; or why it cannot be read. */
async function runConfig({ run }: Model): Promise<{ config: TrainConfig | null; problem: string | null }> {
  if (run === null) return { config: null, problem: null };
  try {
    const source = await readConfigFile(join(run, "config.json"));
    return { config: resolveConfig([source], "hardware"), problem: null };
  } catch (error) {
    if (error instanceof ConfigError) return { config: null, problem: error.message };
    throw error;
  }
}

/** Classes that the data calls otherwise: a model of other classes gives numbers that mean nothing. */
function namingNotes(model: Model, dataset: SegmentationDataset): string[] {
  const [id] = namedOtherwise(model.classNames, dataset.classNames);
  if (id === undefined) return [];
  return [
    `Class ${id} is "${model.classNames[id]}" to the model and "${dataset.classNames[id]}" in the photos' labels.csv: the ` +
      `figures mean something only if both mean the same.`,
  ];
}

export interface EvaluateOptions {
  readonly batchSize: number;
  /** What activations are stored in, whatever the network was trained in; f32 by default. */
  readonly precision?: Precision | undefined;
  /** Told after each batch how many photos are done. */
  readonly onProgress?: (photos: number) => void;
  /** Ends the evaluation after the batch in hand. */
  readonly signal?: AbortSignal;
}

/** What a trained network did on some photos, outlines included. */
export interface ModelEvaluation extends Omit<Evaluation, "loss" | "predictions"> {
  /** Null where only masks were compared. */
  readonly loss: number | null;
  readonly boundaryF1: BoundaryF1;
  /** Of all photos, those that do not count included. */
  readonly pixels: number;
  /** What activations were stored in. */
  readonly precision: Precision;
  /** Bytes that the evaluator held on the GPU. */
  readonly gpuBytes: number;
}

/**
 * Evaluates a trained network with the trainer's own evaluator.
 *
 * @throws WeightsError when the model's tensors do not fit; ModelError when its loss is not a finite number; DataError; GpuError; the
 *   signal's reason.
 */
export async function evaluateModel(
  gpu: Gpu,
  model: Model,
  dataset: SegmentationDataset,
  { batchSize, precision = "f32", onProgress = () => {}, signal }: EvaluateOptions,
): Promise<ModelEvaluation> {
  const { imageSize, classNames, encoder, decoder, normalization, file } = model;
  const classes = classNames.length;
  const variables = new Variables(gpu);
  try {
    const network = { batchSize, imageSize, classes, encoder, decoder, precision };
    const evaluator = await compileEvaluator(gpu, variables, network);
    try {
      await restoreWeights(variables, file);
      const batches = evaluationBatches(dataset, { batchSize, normalization, ...(signal && { signal }) });
      const boundaryF1 = new BoundaryF1(classes);
      const look = (labels: Uint32Array, prediction: Uint32Array): void =>
        boundaryF1.add(labels, prediction, imageSize.width);
      const options = { classes, size: imageSize, look };
      const evaluation = await evaluate(evaluator, counted(batches, onProgress), options);
      if (!Number.isFinite(evaluation.loss)) throw notFinite(model, "logits", precision);
      const pixels = evaluation.count * imageSize.height * imageSize.width;
      return { ...evaluation, boundaryF1, pixels, precision, gpuBytes: evaluator.summary.peakBytes };
    } finally {
      evaluator.destroy();
    }
  } finally {
    variables.destroy();
  }
}

/** The same batches; tells of each, once the next one is asked for, how many photos that makes. */
async function* counted(
  batches: AsyncIterable<Batch>,
  onProgress: (photos: number) => void,
): AsyncGenerator<Batch> {
  let done = 0;
  for await (const batch of batches) {
    yield batch;
    done += batch.count;
    onProgress(done);
  }
}
