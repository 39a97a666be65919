import { describe, expect, it, vi } from "vitest";
import { randomFlipLeftRight } from "../../../src/data/augment.ts";
import { GeneratedDataset } from "../../../src/data/generated-dataset.ts";
import { Variables } from "../../../src/graph/variables.ts";
import type { VariableValues } from "../../../src/graph/variables.ts";
import type { Phase } from "../../../src/runs/phase.ts";
import { readCheckpoint, restoreWeights, saveCheckpoint } from "../../../src/train/checkpoint.ts";
import { estimateSeed, NormStatistics } from "../../../src/train/phase/norm-statistics.ts";
import { compileTrainingStep } from "../../../src/train/phase/programs.ts";
import { batchStream } from "../../../src/train/phase/stream.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import type { TrainerOptions } from "../../../src/train/trainer-options.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";

vi.mock(import("../../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../../helpers/small-network.ts")).smallUnet(importOriginal),
);

const options: TrainerOptions = {
  ...{ imageSize: 32, batchSize: 2, classes: 59, decoder: "transpose", weighted: false, momentum: 0.9 },
  ...{ optimizer: "sgd", clipNorm: null, schedule: "constant", warmupSteps: 0 },
  ...{ epochs: { frozen: 1, finetune: 1 }, learningRate: { frozen: 1e-2, finetune: 1e-2 } },
  ...{ stepsPerEpoch: 2, augment: randomFlipLeftRight, shuffleBuffer: null, dropRemainder: false },
  ...{ normalization: "unit", monitor: "val_accuracy", patience: null, maxSteps: null, time: null },
  ...{ seed: 3, weights: null, bnReestimate: 3 },
};
const data = {
  // Whole batches only: two a pass, and one photo is left out.
  training: new GeneratedDataset({ size: 5, imageSize: 32 }),
  validation: new GeneratedDataset({ size: 2, imageSize: 32, seed: 9 }),
  classWeights: null,
};
type Values = ReadonlyMap<string, VariableValues>;
const isStatistic = (name: string): boolean => /\/moving_(mean|variance)$/.test(name);
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
const ofNetwork = (values: Values): [string, VariableValues][] =>
  [...values].filter(([name]) => !/\/(ema|sgd_\w+)$/.test(name));

describe("moving statistics estimated anew", () => {
  const gpu = useGpu();
  const inFolder = temporaryFolder();

  /** A step's variables, moved away from where they began. */
  async function trained(some: TrainerOptions, phase: Phase): Promise<Variables> {
    const variables = new Variables(gpu(), { seed: 3 });
    const step = await compileTrainingStep(gpu(), variables, some, phase);
    const batches = batchStream(gpu(), data.training, some, { seed: 8, dropRemainder: true });
    for (let i = 0; i < 3; i++) {
      const { images, labels } = (await batches.next()).value!;
      const rates = { learning_rate: Float32Array.of(0.05), ema_rate: Float32Array.of(0.3) };
      const { learning_rate } = rates;
      await step.run({ image: images, labels, ...((some.ema ?? null) === null ? { learning_rate } : rates) });
    }
    await batches.return();
    step.destroy();
    return variables;
  }

  /**
   * The moments, in double precision, of the values of all batches together, from those that each alone has: after a step that keeps
   * nothing of before, and learns nothing.
   */
  async function pooled(values: Values, phase: Phase, epoch: number): Promise<Map<string, Float64Array>> {
    const variables = new Variables(gpu(), { values: ofNetwork(values) });
    const step = await compileTrainingStep(gpu(), variables, { ...options, momentum: 0 }, phase);
    const seed = estimateSeed(options.seed, epoch);
    const batches = batchStream(gpu(), data.training, options, { seed, dropRemainder: true });
    const ofEach = new Map<string, VariableValues["data"][]>();
    for (let k = 0; k < options.bnReestimate!; k++) {
      const { images, labels } = (await batches.next()).value!;
      await step.run({ image: images, labels, learning_rate: Float32Array.of(0) });
      for (const [name, { data: own }] of await variables.readAll(isStatistic)) {
        ofEach.set(name, [...(ofEach.get(name) ?? []), own]);
      }
    }
    await batches.return();
    step.destroy();
    variables.destroy();
    const average = (name: string): Float64Array =>
      Float64Array.from(ofEach.get(name)![0], (_, c) => meanOf(ofEach.get(name)!.map((own) => own[c])));
    return new Map(
      [...ofEach.keys()].map((name) => {
        const [plain, means] = [average(name), ofEach.get(name.replace("variance", "mean"))!];
        if (!name.endsWith("variance")) return [name, plain];
        const squares = (c: number): number => {
          const centre = meanOf(means.map((own) => own[c]));
          return meanOf(means.map((own) => (own[c] - centre) ** 2));
        };
        return [name, plain.map((variance, c) => variance + squares(c))];
      }),
    );
  }

  it.each<[Phase, number | null]>([
    ["frozen", null],
    ["finetune", null],
    ["finetune", 0.9],
  ])(
    "are of the values of all batches together, and nothing else is changed (%s, ema %s)",
    async (phase, ema) => {
      const some = { ...options, ema };
      const variables = await trained(some, phase);
      const before = await variables.readAll();
      const statistics = (await NormStatistics.create(gpu(), variables, some, phase))!;
      await statistics.estimate(data.training, 7, null);
      const after = await variables.readAll();
      statistics.destroy();
      variables.destroy();

      const end = ema === null ? "" : "/ema";
      const used: Values = new Map(
        ofNetwork(before).map(([name, value]) => [name, before.get(name + end) ?? value]),
      );
      const expected = await pooled(used, phase, 7);
      const estimated = [...expected.keys()].filter(
        (name) => phase === "finetune" || name.startsWith("upsample"),
      );
      expect(estimated.length).toBe(phase === "frozen" ? 8 : expected.size);
      for (const name of estimated) {
        expectClose(after.get(name + end)!.data, [...expected.get(name)!], 1e-5, name);
        expect(after.get(name + end)!.data).not.toEqual(before.get(name + end)!.data);
      }
      const changed = [...before.keys()].filter(
        (name) =>
          Buffer.compare(
            Buffer.from(before.get(name)!.data.buffer),
            Buffer.from(after.get(name)!.data.buffer),
          ) !== 0,
      );
      expect(changed.sort()).toEqual(estimated.map((name) => name + end).sort());
    },
  );

  it("are none where no norm normalizes by its batch", async () => {
    const variables = new Variables(gpu());
    const made = await NormStatistics.create(gpu(), variables, { ...options, freeze: "decoder" }, "frozen");
    expect(made).toBeNull();
    variables.destroy();
  });

  it("are those a run is validated and kept with, and change nothing of what it learns", async () => {
    const run = async (name: string, some: Partial<TrainerOptions>) => {
      const trainer = await Trainer.create(gpu(), { ...options, ...some });
      const file = inFolder(`${name}.safetensors`);
      const losses: number[] = [];
      const validated: number[] = [];
      await trainer.run(data, {
        step: ({ loss }) => losses.push(loss),
        epoch: ({ validation }) => void validated.push(validation.loss),
        checkpoint: (state) => saveCheckpoint(trainer.variables, file, state, {}),
      });
      trainer.destroy();
      return { losses, validated, file, values: (await readCheckpoint(file)).values };
    };
    for (const some of [{}, { ema: 0.9, accumulate: 2, cacheFeatures: true }]) {
      const [plain, precise] = [
        await run("plain", { ...some, bnReestimate: 0 }),
        await run("precise", { ...some, bnReestimate: 3 }),
      ];
      expect(precise.losses).toEqual(plain.losses);
      expect(precise.validated.every((loss, i) => loss !== plain.validated[i])).toBe(true);
      for (const [name, { data: numbers }] of plain.values)
        if (!/\/moving_(mean|variance)/.test(name)) expect(precise.values.get(name)!.data).toEqual(numbers);
      const used = await Trainer.create(gpu(), { ...options, ...some });
      await restoreWeights(used.variables, precise.file);
      expect((await used.evaluate(data.validation)).loss).toBe(precise.validated.at(-1));
      used.destroy();
    }
  });
});
