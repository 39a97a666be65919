import { createHash } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { noAugmentation, randomFlipLeftRight } from "../../src/data/augment.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import type { Variables } from "../../src/graph/variables.ts";
import { defineEncoder } from "../../src/layers/networks/encoder.ts";
import { INPUT } from "../../src/layers/networks/layer.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { TrainingDivergedError } from "../../src/train/training-diverged-error.ts";
import type { Ending, EpochOutcome } from "../../src/train/trainer-events.ts";
import type { Resumed } from "../../src/train/trainer-data.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import type { TrainingState } from "../../src/runs/training-state.ts";
import { useGpu } from "../helpers/gpu.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

const options: TrainerOptions = {
  imageSize: 32,
  batchSize: 2,
  classes: 59,
  decoder: "transpose",
  optimizer: "rmsprop",
  clipNorm: null,
  weighted: false,
  accumulate: 1,
  epochs: { frozen: 2, finetune: 1 },
  learningRate: { frozen: 1e-3, finetune: 1e-4 },
  schedule: "constant",
  warmupSteps: 0,
  stepsPerEpoch: 4,
  augment: randomFlipLeftRight,
  shuffleBuffer: 3,
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
const data = {
  // Seven: the fourth batch of a pass has a single photo.
  training: new GeneratedDataset({ size: 7, imageSize: 32 }),
  validation: new GeneratedDataset({ size: 3, imageSize: 32, seed: 9 }),
  classWeights: null,
};

/**
 * Runs that tests look at from several sides, since each takes seconds. A setting that has nothing to do with what a run is
 * for may be varied in it as well.
 */
const RUNS = {
  /** Both phases, the second one cut short. */
  plain: { maxSteps: 10 },
  adam: {
    ...{ optimizer: "adam", clipNorm: 1, epochs: { frozen: 1, finetune: 1 }, stepsPerEpoch: 3 },
    ...{ augment: noAugmentation, shuffleBuffer: null, seed: 4 },
  },
  /** A pass has a batch of four and one of three photos: two and two, two and one. */
  micro: { batchSize: 4, accumulate: 2, clipNorm: 1, epochs: { frozen: 1, finetune: 1 }, maxSteps: 6 },
  long: {
    ...{ epochs: { frozen: 1, finetune: 0 }, stepsPerEpoch: 20, dropRemainder: true },
    ...{ weighted: true, schedule: "cosine", warmupSteps: 1 },
  },
  /** Nothing is learned at such a rate, so no epoch is better than the first. */
  idle: {
    ...{ epochs: { frozen: 9, finetune: 9 }, stepsPerEpoch: 1, patience: 2 },
    ...{ learningRate: { frozen: 1e-30, finetune: 1e-30 }, momentum: 1 - 1e-12, normalization: "imagenet" },
  },
  /** The head learns alone, then everything. */
  head: { freeze: "decoder", epochs: { frozen: 1, finetune: 1 }, maxSteps: 5 },
  nearest: { epochs: { frozen: 1, finetune: 0 }, stepsPerEpoch: 1, decoder: "nearest" },
} satisfies Record<string, Partial<TrainerOptions>>;

/** Five convolutions of stride 2, each tapped, with a dropout between. */
const DROPPING = defineEncoder({
  name: "dropping",
  title: "Dropping",
  preprocessing: "torch",
  taps: ["conv_1", "conv_2", "conv_3", "conv_4", "conv_5"],
  build: (list) =>
    [1, 2, 3, 4, 5].reduce((x, i) => {
      const convolution = { filters: 8, kernelSize: [3, 3], strides: 2 } as const;
      const from = i === 3 ? list.add("drop", { kind: "Dropout", rate: 0.5, perPhoto: false }, x) : x;
      const operation = { kind: "Conv2D", ...convolution, padding: "same", useBias: true } as const;
      return list.add(`conv_${i}`, operation, from);
    }, INPUT),
  buildTop: () => {},
});

/** What a run left and how it went. */
interface Ran {
  readonly hash: string;
  readonly ending: Ending;
  readonly state: TrainingState;
  readonly epochs: readonly EpochOutcome[];
  readonly losses: readonly number[];
  readonly rates: readonly number[];
  /** On the GPU after each step. */
  readonly bytes: readonly number[];
  /** Of a step of each phase. */
  readonly dispatches: readonly number[];
}

/** An epoch without what a clock says. */
const told = ({ row, validation }: EpochOutcome) => ({ ...row, seconds: 0, seen: validation.predictions });

async function fingerprint(variables: Variables): Promise<string> {
  const hash = createHash("sha256");
  const values = [...(await variables.readAll())].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { data: numbers }] of values) hash.update(name).update(numbers);
  return hash.digest("hex");
}

describe("Trainer", () => {
  const gpu = useGpu();

  /** A whole run, which leaves nothing on the GPU. `keep` is given what a checkpoint would hold. */
  async function run(
    some: Partial<TrainerOptions>,
    {
      resumed,
      keep,
      onStep,
      training = data.training,
    }: {
      resumed?: Resumed;
      keep?: (kept: Resumed) => void;
      onStep?: () => void;
      training?: GeneratedDataset;
    } = {},
  ): Promise<Ran> {
    const before = gpu().bytes;
    const trainer = await Trainer.create(gpu(), { ...options, ...some }, resumed);
    const [losses, rates, bytes, dispatches]: number[][] = [[], [], [], []];
    const epochs: EpochOutcome[] = [];
    try {
      const classWeights = some.weighted ? new Float32Array(59).fill(0.5) : null;
      const ending = await trainer.run(
        { ...data, training, classWeights },
        {
          phase: (_, { summary }) => void dispatches.push(summary.dispatches),
          step: ({ loss, learningRate }) => {
            losses.push(loss);
            rates.push(learningRate);
            bytes.push(gpu().bytes);
            onStep?.();
          },
          epoch: (outcome) => void epochs.push(outcome),
          checkpoint: async (state) => {
            if (!keep) return;
            const values = await trainer.variables.readAll((_, group) => group !== "accumulator");
            // As a checkpoint's metadata has it.
            keep({ state: JSON.parse(JSON.stringify(state)) as TrainingState, values });
          },
        },
      );
      const { state, variables } = trainer;
      return {
        hash: await fingerprint(variables),
        ...{ ending, state, epochs, losses, rates, bytes, dispatches },
      };
    } finally {
      trainer.destroy();
      expect(gpu().bytes).toBe(before);
    }
  }

  const made = new Map<string, Promise<Ran>>();
  function once(name: keyof typeof RUNS): Promise<Ran> {
    let ran = made.get(name);
    if (!ran) made.set(name, (ran = run(RUNS[name])));
    return ran;
  }

  /** A run that is ended after so many steps, and what it kept. */
  async function firstPart(some: Partial<TrainerOptions>, steps: number): Promise<[Ran, Resumed]> {
    const kept: Resumed[] = [];
    const part = await run({ ...some, maxSteps: steps }, { keep: (one) => kept.push(one) });
    expect(kept.at(-1)?.state.globalStep).toBe(steps);
    return [part, kept.at(-1)!];
  }

  /** Fails unless the parts of a run, one after the other, are the whole bit for bit. */
  function expectWhole(parts: readonly (Pick<Ran, "losses"> | Ran)[], whole: Ran): void {
    expect(parts.flatMap(({ losses }) => losses)).toEqual(whole.losses);
    const last = parts.at(-1) as Ran;
    expect(last.epochs.map(told)).toEqual(whole.epochs.slice(-last.epochs.length).map(told));
    expect(last.hash).toBe(whole.hash);
  }

  it("goes through both phases to a limit of steps, the epoch cut short evaluated", async () => {
    const { ending, state, epochs, losses } = await once("plain");
    expect(ending).toBe("limit");
    expect(losses).toHaveLength(10);
    expect(state).toMatchObject({ globalStep: 10, step: 2, epoch: 2, phase: "finetune" });
    expect(epochs.map(({ row }) => [row.phase, row.epoch])).toEqual([
      ["frozen", 1],
      ["frozen", 2],
      ["finetune", 3],
    ]);
    expect(epochs[0].validation.count).toBe(3);
    expect(epochs[2].row.loss).toBeLessThan(epochs[0].row.loss);
  });

  it("ends at a limit of time", async () => {
    const { ending, state } = await run({ time: 1e-6 });
    expect([ending, state.globalStep]).toEqual(["limit", 0]);
  });

  // Which also shows that the same seed gives the same bits.
  it.each([
    ["plain", 3],
    ["micro", 2],
  ] as const)("goes on bit for bit from a state kept amid an epoch (%s, %i steps)", async (name, steps) => {
    const [part, resumed] = await firstPart(RUNS[name], steps);
    expectWhole([part, await run(RUNS[name], { resumed })], await once(name));
  });

  it("drops other numbers in each step that learns, and the same ones when it is taken up", async () => {
    const dropping = {
      ...{ encoder: DROPPING, epochs: { frozen: 1, finetune: 1 }, stepsPerEpoch: 2, batchSize: 4 },
      ...{ accumulate: 2, learningRate: { frozen: 1e-3, finetune: 1e-3 } },
    };
    const whole = await run(dropping);
    const [part, resumed] = await firstPart(dropping, 3);
    expectWhole([part, await run(dropping, { resumed })], whole);

    const idle = { ...dropping, batchSize: 1, accumulate: 1, learningRate: RUNS.idle.learningRate };
    const training = new GeneratedDataset({ size: 1, imageSize: 32 });
    const { losses } = await run({ ...idle, augment: noAugmentation }, { training });
    expect(losses[1]).toBe(losses[0]);
    expect(losses[3]).not.toBe(losses[2]);
  });

  it("keeps its state when it is told to stop, after the steps in flight, to go on bit for bit", async () => {
    const whole = await once("adam");
    expect(whole.ending).toBe("finished");
    expect(whole.state).toMatchObject({ globalStep: 6, epoch: 2, phase: "finetune" });
    const [frozen, resumed] = await firstPart(RUNS.adam, 3);
    const controller = new AbortController();
    const kept: Resumed[] = [];
    const stopped = run(
      { ...RUNS.adam, signal: controller.signal },
      {
        resumed,
        keep: (one) => kept.push(one),
        onStep: () => controller.abort(new Error("Interrupted.")),
      },
    );
    await expect(stopped).rejects.toThrow("Interrupted.");
    expect(kept).toHaveLength(1);
    const { step, globalStep } = kept[0].state;
    expect(step).toBeGreaterThan(0);
    expect(step).toBeLessThanOrEqual(gpu().isSoftware ? 2 : 3);
    expect(globalStep).toBe(3 + step);
    const rest = await run(RUNS.adam, { resumed: kept[0] });
    expectWhole([frozen, { losses: whole.losses.slice(3, globalStep) }, rest], whole);
  });

  it("learns in micro-batches, and counts the dispatches of all", async () => {
    const [{ losses, epochs, dispatches }, plain] = [await once("micro"), await once("plain")];
    expect(losses).toHaveLength(6);
    expect(losses[3]).toBeLessThan(losses[0]);
    expect(epochs[0].validation.count).toBe(3);
    for (const phase of [0, 1]) expect(dispatches[phase]).toBeGreaterThan(1.5 * plain.dispatches[phase]);
  });

  describe("with cached features", () => {
    /** Only the frozen phase is without the encoder. */
    function expectDecoderAlone(cached: readonly number[], [frozen, finetune]: readonly number[]): void {
      expect(cached[0]).toBeLessThan(0.7 * frozen);
      expect(cached[1]).toBe(finetune);
    }

    it("has the bits of a run without, taken up amid the frozen phase", async () => {
      const cached = { ...RUNS.plain, cacheFeatures: true };
      const [part, resumed] = await firstPart(cached, 3);
      const rest = await run(cached, { resumed });
      const whole = await once("plain");
      expectWhole([part, rest], whole);
      expectDecoderAlone(rest.dispatches, whole.dispatches);
    });

    it("has the bits of a run without, in micro-batches", async () => {
      const whole = await once("micro");
      const cached = await run({ ...RUNS.micro, cacheFeatures: true });
      expectWhole([cached], whole);
      expect(cached.epochs).toHaveLength(2);
      expectDecoderAlone(cached.dispatches, whole.dispatches);
    });
  });

  describe("with another part frozen", () => {
    it.each([
      ["encoder", ["decoder", "head"]],
      ["decoder", ["head"]],
      ["none", ["decoder", "encoder", "head"]],
    ] as const)("the first phase changes nothing of it (%s)", async (freeze, learning) => {
      const kept: Resumed[] = [];
      const short = { freeze, epochs: { frozen: 2, finetune: 0 }, stepsPerEpoch: 1 };
      await run(short, { keep: (one) => kept.push(one) });
      const [first, second] = kept.map(({ values }) => new Map(values));
      const partOf = (name: string): string =>
        name.startsWith("head/") ? "head" : name.startsWith("upsample_") ? "decoder" : "encoder";
      const changed = [...first]
        .filter(([name]) => !name.includes("rmsprop"))
        .filter(([name, { data: before }]) => second.get(name)!.data.some((value, i) => value !== before[i]));
      expect([...new Set(changed.map(([name]) => partOf(name)))].sort()).toEqual(learning);
      // Nor has it an optimizer.
      const slots = [...first.keys()].filter((name) => name.includes("rmsprop"));
      expect([...new Set(slots.map(partOf))].sort()).toEqual(learning);
    });

    it("the head learns alone at the least cost, and everything after it", async () => {
      const [head, plain] = [await once("head"), await once("plain")];
      expect(head.state).toMatchObject({ globalStep: 5, phase: "finetune" });
      expect(head.dispatches[0]).toBeLessThan(plain.dispatches[0]);
      expect(head.dispatches[1]).toBe(plain.dispatches[1]);
    });

    it("goes on bit for bit amid the first phase, with and without cached features", async () => {
      const whole = await once("head");
      const cached = { ...RUNS.head, cacheFeatures: true };
      const [part, resumed] = await firstPart(cached, 2);
      const rest = await run(RUNS.head, { resumed });
      expectWhole([part, rest], whole);
      expect(part.dispatches[0]).toBeLessThan(rest.dispatches[0]);
    });

    it("caches no features of an encoder that learns", async () => {
      const all = { freeze: "none", epochs: { frozen: 1, finetune: 1 }, maxSteps: 2 } as const;
      const [cached, whole] = [await run({ ...all, cacheFeatures: true }), await run(all)];
      expectWhole([cached], whole);
      expect(cached.dispatches).toEqual((await once("plain")).dispatches.slice(1));
    });
  });

  it("trains every variant", async () => {
    const [first] = (await once("plain")).losses;
    for (const variant of ["nearest", "idle", "adam"] as const) {
      const [loss] = (await once(variant)).losses;
      expect(loss).toBeGreaterThan(0);
      expect(loss).not.toBe(first);
    }
    const [halved] = (await once("long")).losses;
    expect(halved).toBeCloseTo(first / 2, 5);
  });

  it("follows the schedule", async () => {
    const { rates } = await once("long");
    expect(rates).toHaveLength(20);
    expect(rates.slice(0, 2)).toEqual([5e-4, 1e-3]);
    rates
      .slice(1)
      .forEach((rate, i) => expect(rate).toBeCloseTo(5e-4 * (1 + Math.cos((Math.PI * i) / 19)), 12));
  });

  it("holds the same bytes from the third step to the twentieth", async () => {
    const { bytes } = await once("long");
    expect(bytes).toHaveLength(20);
    expect(new Set(bytes.slice(2))).toEqual(new Set([bytes[2]]));
  });

  it("ends a phase whose validation accuracy does not rise any more", async () => {
    const { epochs } = await once("idle");
    expect(epochs.map(({ row }) => row.phase)).toEqual([
      ...["frozen", "frozen", "frozen"],
      ...["finetune", "finetune", "finetune"],
    ]);
  });

  it("stops when the loss is no longer a number, and tells the first tensor that is not", async () => {
    const diverging = { ...options, learningRate: { frozen: 1e38, finetune: 1 } };
    const trainer = await Trainer.create(gpu(), diverging);
    const bias = await trainer.variables.read("head/bias");
    trainer.variables.write(
      "head/bias",
      bias.map(() => NaN),
    );
    expect(await trainer.firstNonFinite(data)).toBe('"head/bias"');
    trainer.variables.write("head/bias", bias);
    const error = await trainer.run(data).catch((thrown: unknown) => thrown);
    trainer.destroy();
    expect(error).toBeInstanceOf(TrainingDivergedError);
    const { goodSteps, message } = error as TrainingDivergedError;
    expect(message).toMatch(/the loss of step \d of epoch 1 is not a finite number/);
    expect(goodSteps).toBeGreaterThan(0);
    const again = await Trainer.create(gpu(), { ...diverging, maxSteps: goodSteps });
    await again.run(data).catch(() => undefined);
    expect(await again.firstNonFinite(data)).toMatch(/^[a-z_0-9]+ \[.*\]( at ".+")?$|^".+"$/);
    again.destroy();
  });
});
