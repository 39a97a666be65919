import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { AUGMENTATION_SETS, randomFlipLeftRight, randomly } from "../../src/data/augment.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { ignoring } from "../../src/data/ignoring.ts";
import type { VariableValues } from "../../src/graph/variables.ts";
import { loadWeights } from "../../src/weights/load.ts";
import { readCheckpoint, restoreWeights, saveCheckpoint } from "../../src/train/checkpoint.ts";
import type { ImageSize } from "../../src/image-size.ts";
import { Trainer } from "../../src/train/trainer.ts";
import type { EpochOutcome } from "../../src/train/trainer-events.ts";
import type { Resumed, TrainerData } from "../../src/train/trainer-data.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { expectClose } from "../helpers/close.ts";
import { compiledCases } from "../helpers/compiled-cases.ts";
import { useGpu } from "../helpers/gpu.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

/** Two steps of each phase; the last batch of a pass has a single photo. */
const STEPS = 4;
const base: TrainerOptions = {
  ...{ imageSize: 32, batchSize: 2, classes: 59, decoder: "transpose", weighted: false, momentum: 0.9 },
  ...{ optimizer: "rmsprop", clipNorm: null, schedule: "constant", warmupSteps: 0 },
  ...{ epochs: { frozen: 1, finetune: 1 }, learningRate: { frozen: 1e-3, finetune: 1e-3 } },
  ...{ stepsPerEpoch: STEPS / 2, augment: randomFlipLeftRight, shuffleBuffer: 3, dropRemainder: false },
  ...{ normalization: "unit", monitor: "val_accuracy", patience: null, maxSteps: null, time: null },
  ...{ seed: 3, weights: null, ignores: true },
};
const dataOf = (imageSize: ImageSize): TrainerData => ({
  training: ignoring(new GeneratedDataset({ size: 3, imageSize })),
  validation: new GeneratedDataset({ size: 2, imageSize, seed: 9 }),
  classWeights: null,
});

/** Crops at random scale of photos that are validated on whole. */
const CROP = { height: 32, width: 32 };
const CROPPED = randomly(["flip_left_right", "cutmix"], undefined, {
  crop: { size: CROP, scale: [0.5, 2] },
  reachesOut: true,
});

/** What a run is drawn as: of crops, whose features are never the same, none are cached. */
function optionsOf(some: Drawn): TrainerOptions {
  const options = { ...base, ...some };
  const { size } = options.augment;
  if (!size) return options;
  return { ...options, imageSize: size, validationSize: options.imageSize, cacheFeatures: false };
}

type Drawn = Partial<TrainerOptions>;
const drawn: fc.Arbitrary<Drawn> = fc.record({
  imageSize: fc.constantFrom(32, { height: 32, width: 64 }),
  optimizer: fc.constantFrom("rmsprop", "adam", "adamw", "sgd"),
  weightDecay: fc.constantFrom(0, 0.1),
  sgdMomentum: fc.constantFrom(0.5, 0.9),
  nesterov: fc.boolean(),
  encoderRateScale: fc.constantFrom(1, 0.1),
  schedule: fc.constantFrom("constant", "cosine", "poly", "one-cycle"),
  warmupSteps: fc.constantFrom(0, 1),
  ema: fc.constantFrom(null, 0.2, 0.999),
  bnReestimate: fc.constantFrom(0, 2),
  accumulate: fc.constantFrom(1, 2),
  clipNorm: fc.constantFrom(null, 1),
  precision: fc.constantFrom("f32", "f16"),
  freeze: fc.constantFrom("encoder", "decoder", "none"),
  cacheFeatures: fc.boolean(),
  augment: fc.constantFrom(randomFlipLeftRight, randomly(AUGMENTATION_SETS.strong), CROPPED),
});

describe("a run that is taken up", () => {
  const gpu = useGpu();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-resume-any-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  interface Ran {
    readonly losses: readonly number[];
    readonly epochs: readonly EpochOutcome[];
    readonly values: ReadonlyMap<string, VariableValues>;
  }

  /** Runs to `maxSteps`, and writes what it leaves to the file. */
  async function run(some: Drawn, file: string, resumed?: Resumed, maxSteps?: number): Promise<Ran> {
    const options = { ...optionsOf(some), maxSteps: maxSteps ?? null };
    const trainer = await Trainer.create(gpu(), options, resumed);
    const losses: number[] = [];
    const epochs: EpochOutcome[] = [];
    try {
      await trainer.run(dataOf(options.validationSize ?? options.imageSize), {
        step: ({ loss }) => losses.push(loss),
        epoch: (outcome) => void epochs.push(outcome),
        checkpoint: (state) => saveCheckpoint(trainer.variables, file, state, {}),
      });
      return { losses, epochs, values: (await readCheckpoint(file)).values };
    } finally {
      trainer.destroy();
    }
  }

  const bits = (values: ReadonlyMap<string, VariableValues>) =>
    new Map([...values].map(([name, { data }]) => [name, new Uint32Array(data.slice().buffer)]));
  const told = ({ row, validation }: EpochOutcome) => ({ ...row, seconds: 0, seen: validation.predictions });

  it("ends with the bits of one that was not, whatever it is", async () => {
    const [whole, part] = ["whole", "part"].map((name) => join(folder, `${name}.safetensors`));
    const half = gpu().features.has("shader-f16");
    if (!half) console.log(`${gpu().adapterName} has no half-precision numbers: all runs are in f32.`);
    await fc.assert(
      fc.asyncProperty(drawn, fc.integer({ min: 1, max: STEPS - 1 }), async (draw, steps) => {
        const some: Drawn = {
          ...draw,
          ...(!half && { precision: "f32" }),
          ...(draw.schedule === "one-cycle" && { warmupSteps: 0 }),
          // So few photos have a pixel each in the deepest layers: of next to no variance, other photos overflow there.
          ...(draw.precision === "f16" && { bnReestimate: 0 }),
        };
        const through = await run(some, whole);
        const before = await run(some, part, undefined, steps);
        const after = await run(some, part, await readCheckpoint(part));
        expect([...before.losses, ...after.losses]).toEqual(through.losses);
        expect(after.epochs.map(told)).toEqual(through.epochs.slice(-after.epochs.length).map(told));
        expect(bits(after.values)).toEqual(bits(through.values));
        expect([...after.values.keys()].some((name) => name.endsWith("/ema"))).toBe(
          (some.ema ?? null) !== null,
        );
      }),
      {
        ...compiledCases(8),
        // All at once, so that it is among those that are waited for.
        examples: [
          [
            {
              ...{
                augment: CROPPED,
                imageSize: { height: 64, width: 32 },
                optimizer: "adam",
                precision: "f32",
              },
              ...{ cacheFeatures: true, accumulate: 1, freeze: "encoder" },
            },
            1,
          ],
          [
            {
              ...{ optimizer: "adamw", weightDecay: 0.1, encoderRateScale: 0.1, schedule: "one-cycle" },
              ...{ ema: 0.999, accumulate: 2, clipNorm: 1, precision: "f16", freeze: "encoder" },
              ...{ imageSize: { height: 64, width: 32 }, augment: randomly(AUGMENTATION_SETS.strong) },
            },
            3,
          ],
          [{ bnReestimate: 2, ema: 0.2, precision: "f32", accumulate: 2, cacheFeatures: true }, 1],
        ],
      },
    );
  });

  it("averages what a step leaves, moving statistics too, and not what is frozen", async () => {
    const { values } = await run({ ema: 0.999 }, join(folder, "one.safetensors"), undefined, 1);
    const averaged = [...values.keys()].filter((name) => values.has(`${name}/ema`));
    expect(averaged.filter((name) => !/^(upsample_|head\/)/.test(name))).toEqual([]);
    const means = averaged.filter((name) => name.endsWith("/moving_mean"));
    expect(means.length).toBeGreaterThan(0);
    // They began as zeros, and the first step goes nine tenths of the way.
    for (const name of [...means, "head/bias"]) {
      const own = values.get(name)!.data;
      expect(own.some((value) => value !== 0)).toBe(true);
      expectClose(
        values.get(`${name}/ema`)!.data,
        own.map((value) => 0.9 * value),
        1e-6,
        name,
      );
    }
  });

  it("is validated with the average of its weights, which its checkpoint gives to those who use it", async () => {
    const file = join(folder, "averaged.safetensors");
    const some: Drawn = { optimizer: "adam", ema: 0.999, learningRate: { frozen: 1e-2, finetune: 1e-2 } };
    const { epochs, values } = await run(some, file);
    const used = await Trainer.create(gpu(), { ...base, ...some });
    const evaluated = async () => {
      const { loss, accuracy } = await used.evaluate(dataOf(32).validation);
      return [loss, accuracy];
    };
    const { loss, accuracy } = epochs.at(-1)!.validation;
    await restoreWeights(used.variables, file);
    expect(await evaluated()).toEqual([loss, accuracy]);
    const { tensors } = await loadWeights(file);
    const isMoved = (name: string): boolean => /\/(kernel|moving_mean)$/.test(name);
    for (const name of [...values.keys()].filter(isMoved)) {
      expect(tensors.get(name)!.data).toEqual(values.get(`${name}/ema`)!.data);
      expect(tensors.get(name)!.data).not.toEqual(values.get(name)!.data);
      used.variables.write(name, values.get(name)!.data);
    }
    expect((await evaluated())[0]).not.toBe(loss);
    used.destroy();
  });
});
