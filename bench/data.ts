/**
 * @file How long the photos of a data set take to load, decode and resize, the first time and from the cache; then how
 * many training batches a second are made of them, on the main thread and by worker threads, and how many milliseconds
 * of the main thread each batch costs; at last how many samples a second of processor time a thread augments.
 * `npm run bench:data -- DIR [image size [batch size]]`, and of drawn people the last alone: `npm run bench:data -- none`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { FIXED_NAMES, noAugmentation, randomly } from "../src/data/augment.ts";
import { trainingBatches, workerCount } from "../src/data/batches.ts";
import type { TrainingBatches, TrainingBatchOptions } from "../src/data/batches.ts";
import { copies } from "../src/data/copies.ts";
import type { SegmentationDataset } from "../src/data/dataset.ts";
import { GeneratedDataset } from "../src/data/generated-dataset.ts";
import { augmentationRates } from "./augmentation-rates.ts";
import { FolderDataset } from "../src/data/folder-dataset.ts";

/** Worker threads start in this time, TypeScript's loader included. */
const START_MS = 4000;
/** Batches to time at a time. */
const BATCHES = 80;
/** Samples to augment. */
const AUGMENTED = 50;

const [folder, size = "128", batch = "64"] = process.argv.slice(2);
if (folder === undefined) {
  console.error("Give the folder of a data set: npm run bench:data -- DIR [image size [batch size]]");
  process.exit(1);
}
const imageSize = Number(size);
const batchSize = Number(batch);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length };
if (folder === "none") {
  await printAugmentationRates(new GeneratedDataset({ size: AUGMENTED, imageSize }));
  process.exit();
}
const cacheFolder = await mkdtemp(join(tmpdir(), "bespoke-bench-"));
try {
  const seconds: Record<string, number> = {};
  let dataset: FolderDataset | undefined;
  for (const run of ["first time", "from the cache"]) {
    const start = performance.now();
    dataset = await FolderDataset.open(folder, { imageSize, cacheFolder });
    await dataset.readAll();
    seconds[run] = Number(((performance.now() - start) / 1000).toFixed(2));
  }
  console.log(JSON.stringify({ photos: dataset!.size, imageSize, ...machine, seconds }));
  for (const workers of new Set([0, workerCount()])) {
    for (const augmentation of ["copies", "random flips"] as const) {
      const rates = await batchRates(dataset!, augmentation, workers);
      console.log(JSON.stringify({ augmentation, batchSize, workers, ...rates }));
    }
  }
  await printAugmentationRates(dataset!);
} finally {
  await rm(cacheFolder, { recursive: true });
}

async function printAugmentationRates(dataset: SegmentationDataset): Promise<void> {
  const indices = Array.from({ length: Math.min(AUGMENTED, dataset.size) }, (_, i) => i);
  const samples = await Promise.all(indices.map((index) => dataset.load(index)));
  const samplesPerSecond = await augmentationRates(samples);
  console.log(JSON.stringify({ imageSize, ...machine, samplesPerSecond }, null, 2));
}

/** What making batches costs while copies are made for the first time, and afterwards. */
async function batchRates(
  dataset: SegmentationDataset,
  augmentation: "copies" | "random flips",
  workers: number,
): Promise<Record<string, Rate>> {
  const options: TrainingBatchOptions = { batchSize, seed: 0, workers };
  // The tutorial's copies: all but the last augmentation.
  const stream =
    augmentation === "copies"
      ? trainingBatches(copies(dataset, FIXED_NAMES.slice(0, -1)), {
          ...options,
          augment: noAugmentation,
        })
      : trainingBatches(dataset, { ...options, augment: randomly(["flip_left_right"]) });
  const samples = dataset.size * (augmentation === "copies" ? FIXED_NAMES.length - 1 : 1);
  const perPass = Math.floor(samples / batchSize);
  if (workers > 0) await pause(START_MS);
  const first = await rate(stream, Math.min(BATCHES, perPass));
  await rate(stream, Math.max(0, perPass - BATCHES));
  const later = await rate(stream, BATCHES);
  await stream.return();
  return { "first pass": first, later };
}

interface Rate {
  readonly batchesPerSecond: number;
  readonly mainThreadMsPerBatch: number;
}

async function rate(stream: TrainingBatches, batches: number): Promise<Rate> {
  const before = performance.eventLoopUtilization();
  const start = performance.now();
  for (let i = 0; i < batches; i++) {
    const { value } = await stream.next();
    stream.recycle(value!);
  }
  const milliseconds = performance.now() - start;
  const { active } = performance.eventLoopUtilization(before);
  return {
    batchesPerSecond: Number(((1000 * batches) / milliseconds).toFixed(1)),
    mainThreadMsPerBatch: Number((active / batches).toFixed(2)),
  };
}
