import { FolderDataset } from "../../src/data/folder-dataset.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { Variables } from "../../src/graph/variables.ts";
import { restoreWeights } from "../../src/train/checkpoint.ts";
import { compileTrainingStep } from "../../src/train/phase/programs.ts";
import type { Phase } from "../../src/runs/phase.ts";
import type { RealFiles } from "./real-files.ts";
import { makeRow } from "./row.ts";
import type { Row } from "./row.ts";
import { useTfjsWasm } from "./tfjs-backends.ts";
import { trainWithTfjsInDouble } from "./tfjs-double.ts";
import { trainWithTfjs } from "./tfjs-training.ts";
import type { TrainingTask } from "./tfjs-training.ts";

const LIMIT = 1e-4;
const LEARNING_RATE = 1e-3;
const PHOTOS = 2;
const CLASSES = 59;

export interface TrainingRun {
  readonly phase: Phase;
  readonly imageSize: number;
  readonly steps: number;
  /** What tfjs computes in. */
  readonly precision: "single" | "double";
}

export const TRAINING_RUNS: readonly TrainingRun[] = [
  { phase: "frozen", imageSize: 64, steps: 4, precision: "single" },
  { phase: "finetune", imageSize: 32, steps: 3, precision: "double" },
];

/**
 * Losses of the first training steps on two photos, from the same weights: one row a step.
 *
 * Fine-tuning takes tfjs in double precision. At 32×32 the deepest batch norms see two values a channel, and their
 * gradients are a small rest of large numbers; RMSprop's first steps are as large for a small gradient as for a large
 * one. In single precision a tenth of tfjs's gradient is rounding error (of ours, some thousandths), and after two steps
 * no single precision determines the loss to 1e-4; after four frozen steps at 64×64 hardly. Where ours is further off than
 * that, the {@link roundingErrors} of both together are the limit instead, and the row says so.
 */
export async function compareTraining(gpu: Gpu, files: RealFiles, run: TrainingRun): Promise<Row[]> {
  const { phase, imageSize, steps, precision } = run;
  const batch = await firstPhotos(files.data, imageSize);
  const { losses: ours, first } = await trainOurs(gpu, files.weights, run, batch);
  const options = { imageSize, classes: CLASSES, phase, steps, learningRate: LEARNING_RATE };
  const task = { ...batch, ...options, variables: first };
  const theirs = await (precision === "single" ? trainInSingle(task) : trainWithTfjsInDouble(task));
  const errors = theirs.map((loss, i) => relative(ours[i], loss));
  let roundings: number[] = [];
  if (errors.some((error) => error > LIMIT)) {
    const ourWay = async (image: Float32Array): Promise<number[]> =>
      (await trainOurs(gpu, files.weights, run, { ...batch, image })).losses;
    const theirWay = (image: Float32Array): Promise<number[]> => trainInSingle({ ...task, image });
    const [ofOurs, ofTheirs] = [
      await roundingErrors(batch.image, ours, ourWay),
      await roundingErrors(batch.image, theirs, theirWay),
    ];
    roundings = ofOurs.map((error, i) => error + ofTheirs[i]);
  }
  return theirs.map((loss, i) => {
    const rounding = errors[i] > LIMIT ? (roundings[i] ?? 0) : 0;
    const because = rounding > LIMIT ? "; the limit is how far rounding moves the two" : "";
    return makeRow({
      part: "training",
      case: `U-Net training loss, ${phase} step ${i + 1}`,
      shape: `image ${PHOTOS}×${imageSize}×${imageSize}×3`,
      forward: errors[i],
      others: {},
      limit: Math.max(LIMIT, rounding),
      note: `ours ${ours[i].toFixed(6)}, tfjs in ${precision} precision ${loss.toFixed(6)}${because}`,
    });
  });
}

/** Our losses before each step, and the variables' values before the first. */
async function trainOurs(
  gpu: Gpu,
  weights: string,
  { phase, imageSize, steps }: TrainingRun,
  batch: { readonly image: Float32Array; readonly labels: Uint32Array },
): Promise<{ losses: number[]; first: Map<string, Float32Array> }> {
  const variables = new Variables(gpu, { seed: 1 });
  const program = await compileTrainingStep(
    gpu,
    variables,
    {
      ...{ batchSize: PHOTOS, imageSize, classes: CLASSES, momentum: 0.99 },
      ...{ optimizer: "rmsprop", clipNorm: null, weighted: false },
    },
    phase,
  );
  try {
    await restoreWeights(variables, weights);
    const first = new Map<string, Float32Array>();
    for (const [name, { data }] of await variables.readAll()) first.set(name, data);
    const losses: number[] = [];
    const feeds = { ...batch, learning_rate: Float32Array.of(LEARNING_RATE) };
    for (let step = 0; step < steps; step++) losses.push((await program.run(feeds, ["loss"])).loss[0]);
    return { losses, first };
  } finally {
    program.destroy();
    variables.destroy();
  }
}

const relative = (actual: number, expected: number): number =>
  Math.abs(actual - expected) / Math.abs(expected);

async function trainInSingle(task: TrainingTask): Promise<number[]> {
  await useTfjsWasm();
  return trainWithTfjs(task);
}

/**
 * The furthest that the losses of `train` are from `losses`, step by step, in three runs: on the photos as they are, and on
 * two that differ from them by the rounding of an f32.
 */
async function roundingErrors(
  photos: Float32Array,
  losses: readonly number[],
  train: (image: Float32Array) => Promise<number[]>,
): Promise<number[]> {
  const worst = losses.map(() => 0);
  for (const nudge of [0, 1e-7, -1e-7]) {
    const image = photos.map((value, i) => value * (1 + nudge * (((i * 7919) % 13) / 6 - 1)));
    const moved = await train(image);
    moved.forEach((loss, i) => (worst[i] = Math.max(worst[i], relative(loss, losses[i]))));
  }
  return worst;
}

async function firstPhotos(
  folder: string,
  imageSize: number,
): Promise<{ image: Float32Array; labels: Uint32Array }> {
  const dataset = await FolderDataset.open(folder, { imageSize });
  const samples = await Promise.all(Array.from({ length: PHOTOS }, (_, i) => dataset.load(i)));
  return {
    image: Float32Array.from(samples.flatMap(({ image }) => [...image])),
    labels: Uint32Array.from(samples.flatMap(({ mask }) => [...mask])),
  };
}
