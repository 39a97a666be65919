import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noAugmentation, randomFlipLeftRight } from "../../src/data/augment.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import type { Variables } from "../../src/graph/variables.ts";
import { isAccumulator } from "../../src/train/accumulation.ts";
import { Trainer, TrainingDivergedError } from "../../src/train/trainer.ts";
import type { EpochOutcome, Resumed, TrainerEvents } from "../../src/train/trainer.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import type { TrainingState } from "../../src/train/training-state.ts";
import { useGpu } from "../helpers/gpu.ts";

const options: TrainerOptions = {
  imageSize: 32,
  batchSize: 2,
  classes: 59,
  decoder: "transpose",
  optimizer: "rmsprop",
  clipNorm: null,
  weighted: false,
  accumulate: 1,
  epochs: { frozen: 1, finetune: 1 },
  learningRate: { frozen: 1e-3, finetune: 1e-4 },
  schedule: "constant",
  warmupSteps: 0,
  stepsPerEpoch: 3,
  augment: randomFlipLeftRight,
  shuffleBuffer: 3,
  dropRemainder: false,
  normalization: "unit",
  momentum: 0.9,
  patience: null,
  maxSteps: null,
  time: null,
  seed: 3,
  weights: null,
};
const data = {
  // Seven: the fourth batch of a pass has a single photo.
  training: new GeneratedDataset({ size: 7, imageSize: 32 }),
  validation: new GeneratedDataset({ size: 3, imageSize: 32, seed: 9 }),
  classWeights: null,
};

async function fingerprint(variables: Variables): Promise<string> {
  const hash = createHash("sha256");
  const values = [...(await variables.readAll())].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { data: numbers }] of values) hash.update(name).update(numbers);
  return hash.digest("hex");
}

describe("Trainer", () => {
  const gpu = useGpu();

  /** A whole run; what it left and how it went. */
  async function run(
    some: Partial<TrainerOptions> = {},
    resumed?: Resumed,
    events: TrainerEvents = {},
  ): Promise<{ hash: string; epochs: EpochOutcome[]; state: TrainingState; losses: number[] }> {
    const trainer = await Trainer.create(gpu(), { ...options, ...some }, resumed);
    const epochs: EpochOutcome[] = [];
    const losses: number[] = [];
    try {
      await trainer.run(
        { ...data, classWeights: some.weighted ? new Float32Array(59).fill(0.5) : null },
        {
          epoch: (outcome) => void epochs.push(outcome),
          step: ({ loss }) => void losses.push(loss),
          ...events,
        },
      );
      return { hash: await fingerprint(trainer.variables), epochs, state: trainer.state, losses };
    } finally {
      trainer.destroy();
    }
  }

  it("gives bit-identical weights from the same seed, through both phases", async () => {
    const before = gpu().bytes;
    const [first, second] = [await run(), await run()];
    expect(second.hash).toBe(first.hash);
    expect(second.losses).toEqual(first.losses);
    expect(first.state).toMatchObject({ globalStep: 6, epoch: 2, phase: "finetune" });
    expect(first.epochs.map(({ row }) => [row.phase, row.epoch])).toEqual([
      ["frozen", 1],
      ["finetune", 2],
    ]);
    expect(first.epochs[0].validation.count).toBe(3);
    expect(first.epochs[1].row.loss).toBeLessThan(first.epochs[0].row.loss);
    expect(gpu().bytes).toBe(before);
  });

  for (const [optimizer, some, moments] of [
    ["rmsprop", {}, [2]],
    ["adam", {}, [3, 4]],
    // A pass has a batch of four and one of three photos: two and two, two and one.
    ["rmsprop", { batchSize: 4, accumulate: 2 }, [2]],
  ] as const) {
    it(`goes on bit for bit from a state kept after any step (${optimizer}, ${JSON.stringify(some)})`, async () => {
      const spec = {
        ...some,
        optimizer,
        clipNorm: optimizer === "adam" ? 1 : null,
        epochs: { frozen: 1, finetune: 1 },
      };
      const whole = await run(spec);
      expect(whole.losses).toHaveLength(6);
      for (const steps of moments) {
        let kept: Resumed | undefined;
        const trainer = await Trainer.create(gpu(), { ...options, ...spec, maxSteps: steps });
        await trainer.run(data, {
          checkpoint: async (state) => {
            // As a checkpoint's metadata has it.
            kept = {
              state: JSON.parse(JSON.stringify(state)) as TrainingState,
              values: await trainer.variables.readAll((name) => !isAccumulator(name)),
            };
          },
        });
        trainer.destroy();
        expect(kept?.state.globalStep).toBe(steps);
        const rest = await run(spec, kept);
        expect(rest.hash).toBe(whole.hash);
        expect(rest.losses).toEqual(whole.losses.slice(steps));
        const means = ({ row }: EpochOutcome) => ({ ...row, seconds: 0 });
        expect(rest.epochs.map(means)).toEqual(whole.epochs.slice(-rest.epochs.length).map(means));
      }
    });
  }

  it("trains every variant", async () => {
    const once = { epochs: { frozen: 1, finetune: 0 }, stepsPerEpoch: 1 } as const;
    const [first] = (await run(once)).losses;
    for (const variant of [
      { decoder: "nearest" },
      { normalization: "imagenet" },
      { augment: noAugmentation, shuffleBuffer: null, seed: 4 },
    ] as const) {
      const [loss] = (await run({ ...once, ...variant })).losses;
      expect(loss).toBeGreaterThan(0);
      expect(loss).not.toBe(first);
    }
    const [halved] = (await run({ ...once, weighted: true })).losses;
    expect(halved).toBeCloseTo(first / 2, 5);
  });

  it("learns in micro-batches, and counts the dispatches of all", async () => {
    const before = gpu().bytes;
    const dispatches: number[] = [];
    const spec = { batchSize: 4, epochs: { frozen: 1, finetune: 0 }, stepsPerEpoch: 4 } as const;
    for (const accumulate of [1, 4]) {
      const { losses, epochs } = await run({ ...spec, accumulate, clipNorm: 1 }, undefined, {
        phase: (_, { summary }) => void dispatches.push(summary.dispatches),
      });
      expect(losses).toHaveLength(4);
      expect(losses[3]).toBeLessThan(losses[0]);
      expect(epochs[0].validation.count).toBe(3);
    }
    expect(dispatches[1]).toBeGreaterThan(3 * dispatches[0]);
    expect(gpu().bytes).toBe(before);
  });

  describe("with cached features", () => {
    const told = ({ row, validation }: EpochOutcome) => ({
      ...row,
      seconds: 0,
      seen: validation.predictions,
    });
    const spec = { epochs: { frozen: 2, finetune: 0 }, stepsPerEpoch: 4 };

    // Passes of seven photos: three batches of two and one of one, or one of four and one of three in micro-batches.
    it.each([
      { epochs: { frozen: 2, finetune: 1 }, maxSteps: 9 },
      { batchSize: 4, accumulate: 2 },
    ])("has the bits of a run without (%o)", async (some) => {
      const before = gpu().bytes;
      const dispatches: number[] = [];
      const phase: TrainerEvents["phase"] = (_, { summary }) => void dispatches.push(summary.dispatches);
      const plain = await run({ ...spec, ...some }, undefined, { phase });
      const cached = await run({ ...spec, ...some, cacheFeatures: true }, undefined, { phase });
      expect(cached.losses.length).toBeGreaterThanOrEqual(8);
      expect(cached.losses).toEqual(plain.losses);
      expect(cached.epochs.map(told)).toEqual(plain.epochs.map(told));
      expect(cached.hash).toBe(plain.hash);
      // Only the frozen phase is without the encoder.
      const phases = dispatches.length / 2;
      expect(dispatches[phases]).toBeLessThan(0.6 * dispatches[0]);
      expect(dispatches[phases + 1]).toBe(phases === 2 ? dispatches[1] : undefined);
      expect(gpu().bytes).toBe(before);
    });

    it("goes on bit for bit when it is taken up amid the frozen phase", async () => {
      const cached = { ...spec, cacheFeatures: true };
      const whole = await run(cached);
      let kept: Resumed | undefined;
      const trainer = await Trainer.create(gpu(), { ...options, ...cached, maxSteps: 3 });
      await trainer.run(data, {
        checkpoint: async (state) => void (kept = { state, values: await trainer.variables.readAll() }),
      });
      trainer.destroy();
      expect(kept?.state.globalStep).toBe(3);
      const rest = await run(cached, kept);
      expect(rest.losses).toEqual(whole.losses.slice(3));
      expect(rest.epochs.map(told)).toEqual(whole.epochs.map(told));
      expect(rest.hash).toBe(whole.hash);
    });
  });

  it("follows the schedule", async () => {
    const rates: number[] = [];
    await run({ epochs: { frozen: 1, finetune: 0 }, schedule: "cosine", warmupSteps: 1 }, undefined, {
      step: ({ learningRate }) => rates.push(learningRate),
    });
    expect(rates).toEqual([5e-4, 1e-3, 5e-4]);
  });

  it("holds the same bytes from the third step to the twentieth", async () => {
    const bytes: number[] = [];
    await run({ epochs: { frozen: 1, finetune: 0 }, stepsPerEpoch: 20, dropRemainder: true }, undefined, {
      step: () => bytes.push(gpu().bytes),
    });
    expect(bytes).toHaveLength(20);
    expect(new Set(bytes.slice(2))).toEqual(new Set([bytes[2]]));
  });

  it("keeps its state and ends after the step in flight when it is told to stop", async () => {
    const controller = new AbortController();
    const kept: TrainingState[] = [];
    await expect(
      run({ signal: controller.signal }, undefined, {
        step: () => controller.abort(new Error("Interrupted.")),
        checkpoint: (state) => void kept.push(state),
      }),
    ).rejects.toThrow("Interrupted.");
    expect(kept).toHaveLength(1);
    expect(kept[0].globalStep).toBeLessThanOrEqual(gpu().isSoftware ? 2 : 3);
    expect(kept[0].step).toBe(kept[0].globalStep);
  });

  it("ends at a limit of steps or time, the epoch cut short evaluated", async () => {
    const steps = await run({ maxSteps: 4 });
    expect(steps.state).toMatchObject({ globalStep: 4, step: 1, epoch: 1, phase: "finetune" });
    expect(steps.epochs.map(({ row }) => row.epoch)).toEqual([1, 2]);
    const timed = await run({ time: 1e-6 });
    expect(timed.state.globalStep).toBe(0);
  });

  it("ends a phase whose validation accuracy does not rise any more", async () => {
    // Nothing is learned at such a rate, so no epoch is better than the first.
    const { epochs } = await run({
      epochs: { frozen: 9, finetune: 9 },
      stepsPerEpoch: 1,
      learningRate: { frozen: 1e-30, finetune: 1e-30 },
      momentum: 1 - 1e-12,
      patience: 2,
    });
    expect(epochs.map(({ row }) => row.phase)).toEqual([
      ...["frozen", "frozen", "frozen"],
      ...["finetune", "finetune", "finetune"],
    ]);
  });

  it("stops when the loss is no longer a number, and tells the first tensor that is not", async () => {
    const trainer = await Trainer.create(gpu(), { ...options, learningRate: { frozen: 1e38, finetune: 1 } });
    const error = await trainer.run(data).catch((thrown: unknown) => thrown);
    trainer.destroy();
    expect(error).toBeInstanceOf(TrainingDivergedError);
    const { goodSteps, message } = error as TrainingDivergedError;
    expect(message).toMatch(/the loss of step \d of epoch 1 is not a finite number/);
    expect(goodSteps).toBeGreaterThan(0);
    const again = await Trainer.create(gpu(), {
      ...options,
      learningRate: { frozen: 1e38, finetune: 1 },
      maxSteps: goodSteps,
    });
    await again.run(data).catch(() => undefined);
    expect(await again.firstNonFinite(data)).toMatch(/^[a-z_0-9]+ \[.*\]( at ".+")?$|^".+"$/);
    again.destroy();
  });

  it("names a broken variable", async () => {
    const trainer = await Trainer.create(gpu(), options);
    trainer.variables.write("head/bias", new Float32Array(59).fill(NaN));
    await expect(trainer.run(data)).rejects.toThrow(TrainingDivergedError);
    expect(await trainer.firstNonFinite(data)).toMatch(/^"(head|upsample)/);
    trainer.destroy();
  });
});
