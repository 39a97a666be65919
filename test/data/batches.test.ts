import fc from "fast-check";
import { afterAll, expect, test, vi } from "vitest";
import { flipLeftRight, noAugmentation, randomFlipLeftRight, randomly } from "../../src/data/augment.ts";
import type { Augmentation } from "../../src/data/augment.ts";
import { IGNORED_LABEL } from "../../src/data/batch.ts";
import { evaluationBatches, trainingBatches } from "../../src/data/batches.ts";
import type { TrainingBatch } from "../../src/data/batches.ts";
import { mapConcurrently } from "../../src/data/concurrency.ts";
import { DataError } from "../../src/data/data-error.ts";
import type { Sample, SegmentationDataset } from "../../src/data/dataset.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { ignoring } from "../../src/data/ignoring.ts";
import { Prefetcher } from "../../src/data/prefetch.ts";
import { Random } from "../../src/data/random.ts";

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
afterAll(() => expect(unhandled).toEqual([]));

const SQUARE = { height: 2, width: 2 };

/** Samples of 2 × 2 pixels that tell their index; `loads` counts how often each is asked for. */
function numbered(size: number, fails?: number): SegmentationDataset & { loads: number[] } {
  const loads: number[] = [];
  return {
    ...{ size, imageSize: SQUARE, classNames: [], ignores: false, names: [], loads },
    load: async (index): Promise<Sample> => {
      loads.push(index);
      await pause(index % 3);
      if (index === fails) throw new DataError(`The photo ${index} cannot be decoded.`);
      const image = Float32Array.from({ length: 12 }, (_, i) => index + i / 100);
      return { ...SQUARE, image, mask: Uint8Array.of(index, 1, 2, 3) };
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function take<T>(count: number, stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) {
    items.push(item);
    if (items.length === count) break;
  }
  return items;
}

test("training batches hold the samples of their indices, each epoch each sample once", async () => {
  const batches = await take(
    4,
    trainingBatches(numbered(7), { batchSize: 3, seed: 1, augment: noAugmentation }),
  );
  for (const { images, labels, indices, count } of batches) {
    expect([images.length, labels.length, count]).toEqual([36, 12, 3]);
    expect(labels).toBeInstanceOf(Uint32Array);
    indices.forEach((index, i) => {
      expect(images[12 * i + 5]).toBe(Math.fround(index + 0.05));
      expect([...labels.subarray(4 * i, 4 * i + 4)]).toEqual([index, 1, 2, 3]);
    });
  }
  const epochs = [batches.slice(0, 2), batches.slice(2)].map((epoch) =>
    epoch.flatMap((batch) => batch.indices),
  );
  for (const epoch of epochs) expect(new Set(epoch).size).toBe(6);
  expect(epochs[0]).not.toEqual(epochs[1]);
  expect(batches.map((batch) => batch.state)).toEqual([
    { epoch: 0, position: 1 },
    { epoch: 0, position: 2 },
    { epoch: 1, position: 1 },
    { epoch: 1, position: 2 },
  ]);
});

test("the same seed gives the same batches, also when resumed at any batch", async () => {
  const options = { batchSize: 2, seed: 5, indices: [8, 6, 4, 2, 0] };
  const whole = await take(7, trainingBatches(numbered(9), options));
  expect(whole.flatMap((batch) => batch.indices).every((index) => index % 2 === 0)).toBe(true);
  for (let done = 1; done < 7; done++) {
    const start = whole[done - 1].state;
    const rest = await take(7 - done, trainingBatches(numbered(9), { ...options, start, prefetch: 0 }));
    expect(rest).toEqual(whole.slice(done));
  }
  const other = await take(7, trainingBatches(numbered(9), { ...options, seed: 6 }));
  expect(other.map((batch) => batch.indices)).not.toEqual(whole.map((batch) => batch.indices));
});

test("identities tell the samples of a stream apart, as far as the augmentation can be told", async () => {
  const identities = async (augment?: Augmentation): Promise<Map<string | null, string>> => {
    const seen = new Map<string | null, string>();
    for (const batch of await take(20, trainingBatches(numbered(4), { batchSize: 2, seed: 1, augment }))) {
      batch.identities.forEach((identity, i) => {
        const pixels = batch.images.subarray(12 * i, 12 * i + 12).join();
        expect(seen.get(identity) ?? pixels).toBe(pixels);
        seen.set(identity, pixels);
      });
    }
    return seen;
  };
  const flipped = await identities();
  expect([...flipped.keys()].sort()).toEqual(
    ["0", "1", "2", "3"].flatMap((photo) => [photo, `${photo} flip_left_right`]),
  );
  expect(new Set(flipped.values()).size).toBe(8);
  expect([...(await identities(noAugmentation)).keys()].sort()).toEqual(["0", "1", "2", "3"]);
  const [{ identities: unknown }] = await take(
    1,
    trainingBatches(numbered(4), { batchSize: 2, seed: 1, augment: (sample) => sample }),
  );
  expect(unknown).toEqual([null, null]);
});

test("the photos that only fill up a batch have no pixel that counts", async () => {
  const [batch] = await take(Infinity, evaluationBatches(numbered(2), { batchSize: 3 }));
  const none = [IGNORED_LABEL, IGNORED_LABEL, IGNORED_LABEL, IGNORED_LABEL];
  expect([...batch.labels]).toEqual([0, 1, 2, 3, 1, 1, 2, 3, ...none]);
});

test("255 does not count in a data set that ignores, and is a class in any other", async () => {
  const masked = (ignores: boolean): SegmentationDataset => ({
    ...numbered(1),
    ignores,
    load: () =>
      Promise.resolve({
        ...{ ...SQUARE, image: new Float32Array(12) },
        mask: Uint8Array.of(255, 0, 254, 255),
      }),
  });
  const labels = async (ignores: boolean): Promise<number[][]> => {
    const evaluated = evaluationBatches(masked(ignores), { batchSize: 1 });
    const trained = trainingBatches(masked(ignores), { batchSize: 1, seed: 1, augment: noAugmentation });
    return [...(await take(1, evaluated)), ...(await take(1, trained))].map((batch) => [...batch.labels]);
  };
  expect(await labels(false)).toEqual(Array(2).fill([255, 0, 254, 255]));
  expect(await labels(true)).toEqual(Array(2).fill([IGNORED_LABEL, 0, 254, IGNORED_LABEL]));
});

test("evaluation batches go through in order and fill up the last", async () => {
  const batches = await take(
    Infinity,
    evaluationBatches(numbered(9), { batchSize: 4, indices: [7, 5, 3, 1, 8, 6] }),
  );
  expect(batches.map((batch) => batch.indices)).toEqual([
    [7, 5, 3, 1],
    [8, 6, 7, 5],
  ]);
  expect(batches.map((batch) => batch.count)).toEqual([4, 2]);
  const [few] = await take(Infinity, evaluationBatches(numbered(2), { batchSize: 5 }));
  expect([few.indices, few.count]).toEqual([[0, 1, 0, 1, 0], 2]);
});

test("a sample that cannot be read surfaces at the consumer, once, and ends the stream", async () => {
  const stream = evaluationBatches(numbered(12, 5), { batchSize: 2 });
  expect((await stream.next()).value?.indices).toEqual([0, 1]);
  await pause(20);
  expect((await stream.next()).value?.indices).toEqual([2, 3]);
  await expect(stream.next()).rejects.toThrow("The photo 5 cannot be decoded.");
  expect((await stream.next()).done).toBe(true);
});

test("a consumer that leaves early, or never comes back, leaves nothing running", async () => {
  const left = numbered(100, 6);
  await take(1, evaluationBatches(left, { batchSize: 2, prefetch: 4 }));
  const begun = left.loads.length;
  await pause(30);
  expect(left.loads.length).toBeLessThanOrEqual(begun + 2);

  const idle = numbered(100, 3);
  await evaluationBatches(idle, { batchSize: 2, prefetch: 2 }).next();
  await pause(30);
  expect(idle.loads.length).toBeLessThanOrEqual(6);
});

test("makes no more than `prefetch` batches ahead", async () => {
  const dataset = numbered(100);
  const stream = evaluationBatches(dataset, { batchSize: 2, prefetch: 3 });
  expect(dataset.loads).toEqual([]);
  await stream.next();
  await vi.waitFor(() => expect(dataset.loads.length).toBe(8), 5000);
  await pause(20);
  expect(dataset.loads.length).toBe(8);
});

test("an aborted signal ends the stream with its reason, at once even while a batch is being made", async () => {
  const controller = new AbortController();
  const never = new Prefetcher(() => new Promise<number>(() => undefined), { signal: controller.signal });
  const waiting = never.next();
  controller.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
  expect((await never.next()).done).toBe(true);

  const later = trainingBatches(numbered(8), {
    batchSize: 2,
    seed: 0,
    signal: AbortSignal.abort(new Error("no")),
  });
  await expect(later.next()).rejects.toThrow("no");
});

test("measures how long the consumer waited, not how long it worked", async () => {
  let made = 0;
  const slow = new Prefetcher(async () => (await pause(40), made++));
  await slow.next();
  expect(slow.waitedMs).toBeGreaterThan(30);
  await pause(200);
  const before = slow.waitedMs;
  await slow.next();
  expect(slow.waitedMs - before).toBeLessThan(30);
});

test("what is mixed in is one of the stream's own samples, the same wherever the stream begins", async () => {
  const options = {
    batchSize: 2,
    seed: 5,
    indices: [8, 6, 4, 2, 0],
    augment: randomly(["cutmix", "classmix"]),
  };
  const whole = await take(40, trainingBatches(numbered(9), options));
  const from = ({ images, indices }: TrainingBatch): boolean[] =>
    indices.map((index, i) =>
      images.slice(12 * i, 12 * i + 12).every((value) => Math.trunc(value) === index),
    );
  expect(whole.flatMap(from)).toContain(false);
  const seen = new Set(whole.flatMap(({ images }) => [...images].map(Math.trunc)));
  expect([...seen].sort()).toEqual([0, 2, 4, 6, 8]);
  expect(whole.flatMap(({ identities }) => identities)).toContain(null);
  const rest = await take(20, trainingBatches(numbered(9), { ...options, start: whole[19].state }));
  expect(rest).toEqual(whole.slice(20));
});

test("an augmentation that leaves pixels of no class needs a data set that knows such", async () => {
  const options = { batchSize: 2, seed: 5, augment: randomly(["affine"]) };
  expect(() => trainingBatches(numbered(4), options)).toThrow("leaves pixels that do not count");
  const people = ignoring(new GeneratedDataset({ size: 4, imageSize: { height: 24, width: 16 } }));
  const batches = await take(4, trainingBatches(people, options));
  expect(batches.flatMap(({ labels }) => [...labels])).toContain(IGNORED_LABEL);
  const classNames = Array.from({ length: 256 }, (_, i) => `class ${i}`);
  expect(() => ignoring({ ...numbered(4), classNames })).toThrow("With 256 classes no number is left");
});

test("refuses too few photos and a batch of none", () => {
  expect(() => trainingBatches(numbered(3), { batchSize: 4, seed: 0 })).toThrow(
    "3 training photos do not fill",
  );
  expect(() => evaluationBatches(numbered(3), { batchSize: 0 })).toThrow("The batch size 0");
  expect(() => evaluationBatches(numbered(3), { batchSize: 1, indices: [] })).toThrow(
    "no photos to evaluate",
  );
});

test("a left-right flip mirrors photo and mask alike, and twice is nothing", async () => {
  const sample = {
    ...SQUARE,
    image: Float32Array.from({ length: 12 }, (_, i) => i),
    mask: Uint8Array.of(1, 2, 3, 4),
  };
  const flipped = flipLeftRight(sample);
  expect([...flipped.image]).toEqual([3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]);
  expect([...flipped.mask]).toEqual([2, 1, 4, 3]);
  expect(flipLeftRight(flipped)).toEqual(sample);
  const flips = await Promise.all(
    Array.from(
      { length: 200 },
      async (_, i) => (await randomFlipLeftRight(sample, new Random(i))) !== sample,
    ),
  );
  expect(flips.filter(Boolean).length).toBeGreaterThan(70);
  expect(flips.filter(Boolean).length).toBeLessThan(130);
});

test("work goes on a few at a time, keeps order, and stops at a failure", async () => {
  let [running, most] = [0, 0];
  const items = Array.from({ length: 20 }, (_, i) => i);
  const doubled = await mapConcurrently(
    items,
    async (item) => {
      most = Math.max(most, ++running);
      await pause(item % 4);
      running--;
      return 2 * item;
    },
    3,
  );
  expect(doubled).toEqual(items.map((item) => 2 * item));
  expect(most).toBe(3);
  const begun: number[] = [];
  const failing = mapConcurrently(
    items,
    async (item) => {
      begun.push(item);
      await pause(1);
      throw new Error(`item ${item}`);
    },
    2,
  );
  await expect(failing).rejects.toThrow("item 0");
  expect(begun).toEqual([0, 1]);
});

test("random numbers are a function of their keys and lie where they should", () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(1000), (seed, index) => {
      const [a, b] = [new Random(seed, index), new Random(seed, index)];
      const real = a.uniform(2, 3);
      expect(b.uniform(2, 3)).toBe(real);
      expect(real >= 2 && real < 3).toBe(true);
      expect(new Random(seed, index + 1).uniform(2, 3)).not.toBe(real);
      expect(a.shuffled([1, 2, 3, 4]).sort()).toEqual([1, 2, 3, 4]);
      expect(["x", "y"]).toContain(a.weighted({ x: 1, y: 3, z: 0 }));
    }),
  );
  const picks = Array.from({ length: 400 }, (_, i) => new Random(9, i).weighted({ rare: 1, usual: 3 }));
  const usual = picks.filter((pick) => pick === "usual").length;
  expect(usual).toBeGreaterThan(260);
  expect(usual).toBeLessThan(340);
});
