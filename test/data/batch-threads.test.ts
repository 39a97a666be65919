import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { AUGMENTATION_SETS, noAugmentation, randomly } from "../../src/data/augment.ts";
import { trainingBatches, workerCount } from "../../src/data/batches.ts";
import type { TrainingBatch, TrainingBatchOptions } from "../../src/data/batches.ts";
import { copies } from "../../src/data/copies.ts";
import { DataError } from "../../src/data/data-error.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { ignoring } from "../../src/data/ignoring.ts";
import type { RecipeDataset } from "../../src/data/recipe.ts";

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
afterAll(() => expect(unhandled).toEqual([]));

const NAMES = ["original", "brightness", "gamma", "hue", "crop", "flip_left_right", "rot90"] as const;
const people = ignoring(new GeneratedDataset({ size: 5, imageSize: { height: 16, width: 24 } }));

/** Seven copies of the people; `told` counts how often a worker thread was told how to make a sample. */
function watched(cacheBytes?: number): RecipeDataset & { told: number } {
  const dataset = copies(people, NAMES, {
    maskInterpolation: "bilinear",
    ...(cacheBytes !== undefined && { cacheBytes }),
  });
  const counting = {
    ...dataset,
    told: 0,
    recipe: (index: number) => {
      counting.told++;
      return dataset.recipe(index);
    },
  };
  return counting;
}

/** All there is to a batch, its numbers in brief. */
const inBrief = (batches: readonly TrainingBatch[]): unknown[] =>
  batches.map(({ images, labels, ...rest }) => ({ ...rest, images: digest(images), labels: digest(labels) }));

const digest = (numbers: Float32Array | Uint32Array): string =>
  createHash("sha256").update(new Uint8Array(numbers.buffer)).digest("hex");

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The first batches of a stream that worker threads make, but for those made before the threads were up: taken until
 * `dataset` has told of two passes of samples.
 */
async function byThreads(
  dataset: RecipeDataset & { told: number },
  options: Partial<TrainingBatchOptions>,
): Promise<TrainingBatch[]> {
  const stream = trainingBatches(dataset, { batchSize: 4, seed: 3, workers: 2, ...options });
  const batches: TrainingBatch[] = [];
  for await (const batch of stream) {
    batches.push(batch);
    if (dataset.told >= 2 * dataset.size) break;
    if (dataset.told === 0) await pause(20);
  }
  return batches;
}

async function onMainThread(
  count: number,
  options: Partial<TrainingBatchOptions>,
  cacheBytes?: number,
): Promise<TrainingBatch[]> {
  const stream = trainingBatches(watched(cacheBytes), { batchSize: 4, seed: 3, ...options });
  const batches: TrainingBatch[] = [];
  while (batches.length < count) batches.push((await stream.next()).value!);
  await stream.return();
  return batches;
}

test.each([
  ["a pass and its copies", { augment: noAugmentation }],
  ["smaller last batches", { augment: noAugmentation, batchSize: 8, dropRemainder: false }],
  ["random augmentations on top", { augment: randomly(["flip_left_right", "hue", "crop"]) }],
  ["a strong set", { augment: randomly(AUGMENTATION_SETS.strong) }],
  [
    "normalized, shuffled, resumed",
    { normalization: "imagenet", shuffleBuffer: 9, start: { epoch: 1, position: 3 } },
  ],
] as const)("worker threads make the same batches: %s", async (_, options) => {
  const made = await byThreads(watched(), options);
  expect(inBrief(made)).toEqual(inBrief(await onMainThread(made.length, options)));
});

test("samples that memory cannot hold are made anew each time", async () => {
  const tight = watched(3 * 16 * 16 * 13);
  const made = await byThreads(tight, { augment: noAugmentation });
  expect(inBrief(made)).toEqual(inBrief(await onMainThread(made.length, { augment: noAugmentation })));
});

test("each copy is made once, and from then on the threads are told where it is", async () => {
  const dataset = watched();
  await byThreads(dataset, { augment: noAugmentation });
  for (let index = 0; index < dataset.size; index++) {
    const { sample, steps } = await dataset.recipe(index);
    expect(steps.names).toEqual([]);
    expect(sample).toBe(await dataset.load(index));
  }
});

test("the arrays of a recycled batch are filled anew on the main thread, and handed to worker threads", async () => {
  const options = { batchSize: 4, seed: 3, augment: noAugmentation };
  for (const workers of [0, 1]) {
    const dataset = watched();
    const stream = trainingBatches(dataset, { ...options, workers, prefetch: 1 });
    const copied: TrainingBatch[] = [];
    const recycled: TrainingBatch[] = [];
    while (workers === 0 ? recycled.length < 8 : dataset.told < 40) {
      const { value } = await stream.next();
      copied.push(structuredClone(value!));
      stream.recycle(value!);
      recycled.push(value!);
      if (workers > 0 && dataset.told === 0) await pause(20);
    }
    await stream.return();
    expect(inBrief(copied)).toEqual(inBrief(await onMainThread(copied.length, options)));
    if (workers === 0) expect(new Set(recycled.map(({ images }) => images)).size).toBeLessThan(4);
    else expect(recycled.filter(({ images }) => images.length === 0).length).toBeGreaterThan(4);
  }
});

test("errors are the main thread's: of a sample that cannot be read, and of an augmentation", async () => {
  const options = { batchSize: 4, seed: 0, workers: 1 };
  const dataset = watched();
  const broken: typeof dataset = {
    ...dataset,
    recipe: async (index) => {
      if (dataset.told > 20) throw new DataError("images/0007.jpg cannot be read.");
      return dataset.recipe(index);
    },
  };
  const until = async (stream: ReturnType<typeof trainingBatches>): Promise<void> => {
    while (!(await stream.next()).done) await pause(5);
  };
  const unread = trainingBatches(broken, { ...options, augment: noAugmentation });
  await expect(until(unread)).rejects.toThrow(new DataError("images/0007.jpg cannot be read."));
  expect((await unread.next()).done).toBe(true);

  const augment = randomly(["gamma"], { gamma: -1 });
  const never = Object.assign((sample: Parameters<typeof augment>[0]) => sample, { draw: augment.draw });
  const refused = until(trainingBatches(watched(), { ...options, augment: never }));
  await expect(refused).rejects.toThrow("The gamma -1 cannot be used");
  await expect(refused).rejects.toBeInstanceOf(DataError);
});

test("a stream can be left at any time: at once, while threads start, with batches under way", async () => {
  for (const wait of [0, 30, 300]) {
    const stream = trainingBatches(watched(), { batchSize: 4, seed: 0, workers: 2 });
    await stream.next();
    await pause(wait);
    const pending = stream.next();
    await stream.return();
    await pending;
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  }
});

test("an abandoned stream keeps no process alive, and one that is waited for does", async () => {
  const source = new URL("../../src/data/", import.meta.url).href;
  const program = `
    const { trainingBatches } = await import("${source}batches.ts");
    const { GeneratedDataset } = await import("${source}generated-dataset.ts");
    const stream = trainingBatches(new GeneratedDataset({ size: 4, imageSize: 16 }), { batchSize: 2, seed: 0, workers: 2 });
    for (let i = 0; i < 40; i++) {
      await stream.next();
      if (i < 20) await new Promise((resolve) => setTimeout(resolve, 30));
    }
    console.log("40 batches");`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", program], {
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => (said += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  expect([said, code]).toEqual(["40 batches\n", 0]);
});

test("as many threads as leave a core, four at most", () => {
  expect(workerCount()).toBeGreaterThanOrEqual(0);
  expect(workerCount()).toBeLessThanOrEqual(4);
});
