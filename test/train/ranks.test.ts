import { describe, expect, it, vi } from "vitest";
import { randomFlipLeftRight } from "../../src/data/augment.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { ignoring } from "../../src/data/ignoring.ts";
import type { SegmentationDataset } from "../../src/data/dataset.ts";
import type { VariableValues } from "../../src/graph/variables.ts";
import type { Collectives } from "../../src/mpi/collectives.ts";
import { InterruptedError } from "../../src/train/phase/agreement.ts";
import { Trainer } from "../../src/train/trainer.ts";
import type { EpochOutcome } from "../../src/train/trainer-events.ts";
import type { Resumed } from "../../src/train/trainer-data.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";
import { inProcessRanks } from "../helpers/in-process-ranks.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

// Of the small network too little would come together for several buckets.
vi.mock(import("../../src/train/phase/gradient-buckets.ts"), async (importOriginal) => {
  const original = await importOriginal();
  return {
    ...original,
    accumulateInBuckets: (terms, share) => original.accumulateInBuckets(terms, share, 2 ** 11),
  };
});

const options: TrainerOptions = {
  imageSize: 32,
  batchSize: 6,
  classes: 59,
  decoder: "transpose",
  optimizer: "rmsprop",
  clipNorm: null,
  weighted: false,
  epochs: { frozen: 1, finetune: 1 },
  learningRate: { frozen: 1e-3, finetune: 1e-4 },
  schedule: "constant",
  warmupSteps: 0,
  stepsPerEpoch: 6,
  augment: randomFlipLeftRight,
  shuffleBuffer: null,
  dropRemainder: false,
  normalization: "unit",
  momentum: 0.9,
  monitor: "val_accuracy",
  patience: null,
  maxSteps: null,
  time: null,
  seed: 3,
  weights: null,
};

const validation = new GeneratedDataset({ size: 3, imageSize: 32, seed: 9 });

interface Ran {
  readonly losses: readonly number[];
  readonly values: ReadonlyMap<string, VariableValues>;
  readonly kept: Resumed | undefined;
  readonly error: unknown;
  readonly epochs: readonly EpochOutcome[];
}

/** What validation said, without what a clock says. */
const told = ({ row, validation }: EpochOutcome) => {
  const { predictions, scores, count, confusion } = validation;
  const { valAccuracy, valMeanIou, valDice } = row;
  return { valAccuracy, valMeanIou, valDice, predictions, scores, count, counts: confusion.counts };
};

describe("ranks that train together", () => {
  const gpu = useGpu();

  async function run(
    some: Partial<TrainerOptions>,
    // Seventeen photos: the third batch of a pass has five.
    training: SegmentationDataset = new GeneratedDataset({ size: 17, imageSize: 32 }),
    resumed?: Resumed,
    onStep: (step: number) => void = () => undefined,
  ): Promise<Ran> {
    const trainer = await Trainer.create(gpu(), { ...options, ...some }, resumed);
    const losses: number[] = [];
    const epochs: EpochOutcome[] = [];
    let kept: Resumed | undefined;
    let error: unknown;
    try {
      await trainer
        .run(
          { training, validation, classWeights: null },
          {
            step: ({ loss, globalStep }) => {
              losses.push(loss);
              onStep(globalStep);
            },
            epoch: (outcome) => void epochs.push(outcome),
            checkpoint: async (state) => void (kept = { state, values: await trainer.variables.readAll() }),
          },
        )
        .catch((thrown: unknown) => (error = thrown));
      return { losses, values: await trainer.variables.readAll(), kept, error, epochs };
    } finally {
      trainer.destroy();
    }
  }

  const together = (
    size: number,
    some: Partial<TrainerOptions>,
    more: (rank: Collectives) => Parameters<typeof run> = () => [{}],
  ): Promise<Ran[]> =>
    Promise.all(
      inProcessRanks(size).map((ranks) => {
        const [own, ...rest] = more(ranks);
        return run({ ...some, ranks, ...own }, ...rest);
      }),
    );

  let uncut: Promise<Ran[]> | undefined;
  /** Two ranks that nothing happens to, for others to be compared with. */
  const twoUncut = (): Promise<Ran[]> => (uncut ??= together(2, { accumulate: 2 }));

  /** Losses within 1e-6, numbers within 1e-5 of the largest; and all ranks have the same bits. */
  function expectSame(all: readonly Ran[], alone: Ran): void {
    expect(alone.error).toBeUndefined();
    for (const { losses, values, error } of all) {
      expect(error).toBeUndefined();
      expect(losses).toEqual(all[0].losses);
      expect(losses).toHaveLength(alone.losses.length);
      losses.forEach((loss, i) => expect(Math.abs(loss / alone.losses[i] - 1)).toBeLessThan(1e-6));
      expect([...values]).toEqual([...all[0].values]);
    }
    for (const { epochs } of all) {
      expect(epochs.map(told)).toEqual(alone.epochs.map(told));
      expect(epochs.map(({ row }) => row.valLoss)).toEqual(all[0].epochs.map(({ row }) => row.valLoss));
    }
    expect([...all[0].values.keys()].sort()).toEqual([...alone.values.keys()].sort());
    for (const [name, { data }] of all[0].values) expectClose(data, alone.values.get(name)!.data, 1e-5);
  }

  it("learn what one process learns: two, over both phases", async () => {
    expectSame(await twoUncut(), await run({ accumulate: 2 }));
  });

  it.each([
    ["three, of which one has fewer photos at the end of a pass", 3, { accumulate: 3 }],
    [
      "two, each in two micro-batches, clipped, by Adam",
      2,
      { accumulate: 4, optimizer: "adam", clipNorm: 0.5 },
    ],
    ["two, with averaged weights", 2, { accumulate: 2, ema: 0.9 }],
  ] as const)("learn what one process learns: %s", async (_, size, some) => {
    expectSame(await together(size, some), await run(some));
  });

  it("exchange gradients in several buckets a step", async () => {
    const called: string[] = [];
    const [{ error }] = await together(2, { accumulate: 2, maxSteps: 7 }, (ranks) => {
      const counting: Collectives = {
        ...ranks,
        allReduce(what, ...rest) {
          if (ranks.rank === 0) called.push(what);
          return ranks.allReduce(what, ...rest);
        },
      };
      return [{ ranks: counting }];
    });
    expect(error).toBeUndefined();
    const steps = called.join("\n").split("sum of the loss").slice(0, 7);
    const bucketsOf = (step: string): number => step.match(/sum of the gradients/g)!.length;
    const [frozen, finetune] = [bucketsOf(steps[0]), bucketsOf(steps[6])];
    expect(frozen).toBeGreaterThan(2);
    expect(finetune).toBeGreaterThan(frozen);
    expect(steps.map(bucketsOf)).toEqual([...Array<number>(6).fill(frozen), finetune]);
  });

  it("learn much the same where gradients travel in half precision, and stay alike to the last bit", async () => {
    const some = { accumulate: 2, optimizer: "adam" as const };
    const [exact] = await together(2, some);
    const all = await together(2, { ...some, wire: "f16" });
    for (const { losses, values, error } of all) {
      expect(error).toBeUndefined();
      expect(losses).toEqual(all[0].losses);
      expect([...values]).toEqual([...all[0].values]);
    }
    const { losses } = all[0];
    expect(losses).not.toEqual(exact.losses);
    losses.forEach((loss, i) => expect(Math.abs(loss / exact.losses[i] - 1)).toBeLessThan(5e-3));
    expect(losses.at(-1)!).toBeLessThan(losses[0]);
  });

  describe("with batch norms over all of them", () => {
    const wholeBatch = async (some: Partial<TrainerOptions>, training?: SegmentationDataset) => {
      const ran = await run({ ...some, accumulate: 1, ranks: undefined }, training);
      expect(ran.error).toBeUndefined();
      return ran;
    };

    /** Losses within 1e-5, numbers within 1e-4 of the largest; all ranks have the same bits. */
    function expectWhole(all: readonly Ran[], whole: Ran): void {
      for (const { losses, values, error } of all) {
        expect(error).toBeUndefined();
        expect(losses).toEqual(all[0].losses);
        expect(losses).toHaveLength(whole.losses.length);
        losses.forEach((loss, i) => expect(Math.abs(loss / whole.losses[i] - 1)).toBeLessThan(1e-5));
        expect([...values]).toEqual([...all[0].values]);
      }
      expect([...all[0].values.keys()].sort()).toEqual([...whole.values.keys()].sort());
      for (const [name, { data }] of all[0].values) expectClose(data, whole.values.get(name)!.data, 1e-4);
    }

    it("learn what one process learns of the whole batch, over both phases", async () => {
      const some = { accumulate: 2, syncBatchNorm: true, optimizer: "sgd" as const, bnReestimate: 2 };
      const whole = await wholeBatch(some);
      const all = await together(2, some);
      expectWhole(all, whole);
      // By statistics that ranks have estimated together.
      all[0].epochs.forEach(({ row }, i) =>
        expect(Math.abs(row.valLoss / whole.epochs[i].row.valLoss - 1)).toBeLessThan(1e-5),
      );
      // Which they do not without.
      const [apart] = await together(2, { ...some, syncBatchNorm: false });
      expect(Math.abs(apart.losses.at(-1)! / whole.losses.at(-1)! - 1)).toBeGreaterThan(1e-4);
    });

    it("do so where a rank has fewer photos, or none, and where pixels do not count", async () => {
      const training = partlyIgnored(10);
      const some = { accumulate: 3, syncBatchNorm: true, ignores: true, optimizer: "sgd" as const };
      const all = await together(3, { ...some, maxSteps: 8 }, () => [{}, training]);
      expectWhole(all, await wholeBatch({ ...some, maxSteps: 8 }, training));
    });

    it("do so in several micro-batches each, and are taken up again", async () => {
      const some = { syncBatchNorm: true, accumulate: 4, epochs: { frozen: 1, finetune: 0 } };
      const [whole, other] = await together(2, some);
      expect([...other.values]).toEqual([...whole.values]);
      const [cut] = await together(2, { ...some, maxSteps: 3 });
      const [again] = await together(2, some, () => [{}, undefined, cut.kept]);
      expect([...again.values]).toEqual([...whole.values]);
      expect([...cut.losses, ...again.losses]).toEqual(whole.losses);
    });
  });

  it("weigh pixels that count alike, whichever rank has them", async () => {
    const training = partlyIgnored(12);
    const some = { accumulate: 2, ignores: true, epochs: { frozen: 1, finetune: 0 } };
    expectSame(await together(2, some, () => [{}, training]), await run(some, training));
  });

  it("leave a rank out where the last batch of a pass has no photo for it", async () => {
    const training = new GeneratedDataset({ size: 8, imageSize: 32 });
    const some = { accumulate: 3, epochs: { frozen: 1, finetune: 0 } };
    expectSame(await together(3, some, () => [{}, training]), await run(some, training));
  });

  it("take up one another's runs, whatever their number", async () => {
    const [cut] = await together(2, { accumulate: 2, maxSteps: 8 });
    expect(cut.kept!.state.globalStep).toBe(8);
    // Of three ranks the micro-batches are others, and with them what batch norms see.
    const [three] = await together(3, { accumulate: 3 }, () => [{}, undefined, cut.kept]);
    expect(three.error).toBeUndefined();
    expect(three.losses).toHaveLength(4);
    const [again] = await together(2, { accumulate: 2 }, () => [{}, undefined, cut.kept]);
    const [uncut] = await twoUncut();
    expect([...again.values]).toEqual([...uncut.values]);
    expect([...cut.losses, ...again.losses]).toEqual(uncut.losses);
  });

  it("stop behind the same step when one is told to, with what was learned so far", async () => {
    const interrupted = new AbortController();
    const outcomes = await together(2, { accumulate: 2 }, ({ rank }) => [
      rank === 1 ? { signal: interrupted.signal } : {},
      undefined,
      undefined,
      (step) => rank === 1 && step === 3 && interrupted.abort(new Error("Interrupted.")),
    ]);
    const [first, second] = outcomes;
    expect(first.error).toBeInstanceOf(InterruptedError);
    expect(second.error).toBe(interrupted.signal.reason);
    for (const { kept, losses } of outcomes) {
      expect(losses).toHaveLength(4);
      expect(kept!.state.globalStep).toBe(4);
    }
    const [again] = await together(2, { accumulate: 2 }, () => [{}, undefined, first.kept]);
    const [uncut] = await twoUncut();
    expect([...again.values]).toEqual([...uncut.values]);
  });
});

/** Of every other photo nothing counts but a corner. */
function partlyIgnored(size: number): SegmentationDataset {
  const training = ignoring(new GeneratedDataset({ size, imageSize: 32 }));
  const load = training.load.bind(training);
  training.load = async (index: number) => {
    const sample = await load(index);
    const mask = sample.mask.slice();
    if (index % 2 === 0) mask.fill(255, 20);
    return { ...sample, mask };
  };
  return training;
}
