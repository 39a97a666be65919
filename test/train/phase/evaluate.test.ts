import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { evaluationBatches } from "../../../src/data/batches.ts";
import { IGNORE } from "../../../src/data/dataset.ts";
import type { SegmentationDataset } from "../../../src/data/dataset.ts";
import { seededRandom } from "../../../src/graph/initializers.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Program } from "../../../src/graph/program.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { ConfusionMatrix } from "../../../src/runs/metrics.ts";
import { evaluate } from "../../../src/train/phase/evaluate.ts";
import { evaluator } from "../../../src/train/phase/programs.ts";
import { useGpu } from "../../helpers/gpu.ts";

vi.mock(import("../../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../../helpers/small-network.ts")).smallUnet(importOriginal),
);

const SIZE = 32;
const CLASSES = 7;
const BATCH = 2;
const OPTIONS = { classes: CLASSES, size: { width: SIZE, height: SIZE } };

/** Photos of noise and masks in stripes, each as wide as a class; `ignored` says which pixels do not count. */
function photosOf(count: number, ignored: (photo: number, pixel: number) => boolean): SegmentationDataset {
  const samples = Array.from({ length: count }, (_, photo) => {
    const random = seededRandom(photo, "photo");
    return {
      ...{ height: SIZE, width: SIZE },
      image: Float32Array.from({ length: 3 * SIZE ** 2 }, () => random()),
      mask: Uint8Array.from({ length: SIZE ** 2 }, (_, pixel) =>
        ignored(photo, pixel) ? IGNORE : Math.floor((pixel % SIZE) / 5 + photo) % CLASSES,
      ),
    };
  });
  return {
    size: count,
    imageSize: { height: SIZE, width: SIZE },
    classNames: Array.from({ length: CLASSES }, (_, label) => `class ${label}`),
    ignores: true,
    names: samples.map((_, photo) => `p${photo}`),
    load: (index) => Promise.resolve(samples[index]),
  };
}

describe("evaluate", () => {
  const gpu = useGpu();
  let variables: Variables;
  let program: Program;
  beforeAll(async () => {
    const { outputs } = evaluator({ batchSize: BATCH, imageSize: SIZE, classes: CLASSES, momentum: 0.9 });
    const [logits] = outputs.prediction.node!.inputs;
    variables = new Variables(gpu(), { seed: 4 });
    program = await compile(gpu(), { outputs: { ...outputs, logits }, variables });
    // Untrained, the network says the same of every pixel.
    const random = seededRandom(1, "head");
    const { data } = (await variables.readAll()).get("head/kernel")!;
    variables.write(
      "head/kernel",
      Float32Array.from(data, () => 4 * random() - 2),
    );
  });
  afterAll(() => {
    program.destroy();
    variables.destroy();
  });

  /** What is said of the pixels that count, from the logits, in double precision and on the host. */
  async function reference(photos: SegmentationDataset) {
    const confusion = new ConfusionMatrix(CLASSES);
    let sum = 0;
    for await (const { images, count, indices } of evaluationBatches(photos, { batchSize: BATCH })) {
      const labels = new Uint32Array(BATCH * SIZE ** 2);
      const { logits } = await program.run({ image: images, labels }, ["logits"]);
      for (let photo = 0; photo < count; photo++) {
        const { mask } = await photos.load(indices[photo]);
        mask.forEach((label, pixel) => {
          if (label === IGNORE) return;
          const at = (photo * SIZE ** 2 + pixel) * CLASSES;
          const row = [...logits.subarray(at, at + CLASSES)];
          const total = row.reduce((all, logit) => all + Math.exp(logit), 0);
          sum += Math.log(total) - row[label];
          confusion.add(Uint8Array.of(label), Uint8Array.of(row.indexOf(Math.max(...row))));
        });
      }
    }
    return { confusion, loss: sum / confusion.total };
  }

  const run = (photos: SegmentationDataset, options: { keep?: number } = {}) =>
    evaluate(program, evaluationBatches(photos, { batchSize: BATCH }), { ...OPTIONS, ...options });

  it.each([
    ["no pixel", () => false],
    [
      "a border of every object, as Pascal VOC has it",
      (_: number, pixel: number) => (pixel % SIZE) % 5 === 0,
    ],
    [
      "all of one photo, and most of another",
      (photo: number, pixel: number) => photo === 1 || pixel < photo * 300,
    ],
  ])("says what a plain reference says that drops what does not count: %s", async (_, ignored) => {
    // Five photos: the last batch is filled up.
    const photos = photosOf(5, ignored);
    const expected = await reference(photos);
    const result = await run(photos);
    expect([...result.confusion.counts]).toEqual([...expected.confusion.counts]);
    expect(Math.abs(result.loss / expected.loss - 1)).toBeLessThan(1e-6);
    expect(result.count).toBe(5);
    const { accuracy, meanIou, meanDice, frequencyWeightedIou, backgroundShare } = expected.confusion;
    expect(result).toMatchObject({ accuracy, meanIou, meanDice, frequencyWeightedIou });
    expect(result.backgroundAccuracy).toBe(backgroundShare);
    // Not always the same class, and not always the right one.
    expect(result.confusion.predictedCounts().filter((pixels) => pixels > 0).length).toBeGreaterThan(2);
  });

  it("gives the predictions it is asked for, and scores every photo", async () => {
    const photos = photosOf(5, () => false);
    const all: number[] = [];
    const seen: Uint8Array[] = [];
    const { predictions, confusion, scores } = await evaluate(
      program,
      evaluationBatches(photos, { batchSize: BATCH }),
      {
        ...OPTIONS,
        keep: 3,
        look: (labels, prediction) => {
          all.push(labels[1]);
          seen.push(Uint8Array.from(prediction));
        },
      },
    );
    expect(all).toEqual([0, 1, 2, 3, 4]);
    expect(predictions).toEqual(seen.slice(0, 3));
    const counts = new ConfusionMatrix(CLASSES);
    for (const [photo, prediction] of seen.entries()) counts.add((await photos.load(photo)).mask, prediction);
    expect(confusion.counts).toEqual(counts.counts);
    expect(scores.photos.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    for (const { index, pixels, accuracy, meanIou } of scores.photos) {
      const own = new ConfusionMatrix(CLASSES);
      own.add((await photos.load(index)).mask, seen[index]);
      expect({ pixels, accuracy }).toEqual({ pixels: SIZE ** 2, accuracy: own.accuracy });
      expect(meanIou).toBeCloseTo(own.meanIou, 12);
    }
    const ranked = [...scores.photos].sort((a, b) => a.meanIou - b.meanIou).map(({ index }) => index);
    expect(scores.worst.map(({ index }) => index)).toEqual(ranked.slice(0, 2));
    expect(scores.best.map(({ index }) => index)).toEqual(ranked.toReversed().slice(0, 2));
    for (const { index, prediction } of [...scores.worst, ...scores.best])
      expect(prediction).toEqual(seen[index]);
  });

  it("says so where no pixel counts", async () => {
    await expect(run(photosOf(3, () => true))).rejects.toThrow(
      "No pixel of the 3 photos to evaluate on counts, as all of their masks are to be ignored: give photos whose masks name classes.",
    );
  });
});
