import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { Trainer, TrainingDivergedError } from "../../src/train/trainer.ts";
import type { EpochResult, TrainerOptions } from "../../src/train/trainer.ts";
import { useGpu } from "../helpers/gpu.ts";

const options: TrainerOptions = {
  imageSize: 32,
  batchSize: 2,
  classes: 59,
  epochs: { frozen: 1, finetune: 1 },
  learningRate: { frozen: 1e-3, finetune: 1e-4 },
  stepsPerEpoch: 3,
  momentum: 0.9,
  seed: 3,
  weights: null,
};
const data = {
  training: new GeneratedDataset({ size: 8, imageSize: 32 }),
  validation: new GeneratedDataset({ size: 3, imageSize: 32, seed: 9 }),
};

describe("Trainer", () => {
  const gpu = useGpu();

  async function fingerprint(trainer: Trainer): Promise<string> {
    const hash = createHash("sha256");
    for (const name of [...trainer.variables.shapes().keys()].sort())
      hash.update(await trainer.variables.read(name));
    return hash.digest("hex");
  }

  it("gives bit-identical weights from the same seed, through both phases", async () => {
    const run = async (): Promise<{ hash: string; epochs: EpochResult[] }> => {
      const trainer = await Trainer.create(gpu(), options);
      const epochs: EpochResult[] = [];
      await trainer.run(data.training, data.validation, { epoch: (result) => void epochs.push(result) });
      expect(trainer.steps).toBe(6);
      const hash = await fingerprint(trainer);
      trainer.destroy();
      return { hash, epochs };
    };
    const before = gpu().bytes;
    const [first, second] = [await run(), await run()];
    expect(second.hash).toBe(first.hash);
    expect(first.epochs.map(({ phase, epoch }) => [phase, epoch])).toEqual([
      ["frozen", 1],
      ["finetune", 2],
    ]);
    expect(first.epochs[0].validation.count).toBe(3);
    expect(first.epochs[1].loss).toBeLessThan(first.epochs[0].loss);
    expect(gpu().bytes).toBe(before);
  });

  it("holds the same bytes from the third step to the twentieth", async () => {
    const trainer = await Trainer.create(gpu(), {
      ...options,
      epochs: { frozen: 1, finetune: 0 },
      stepsPerEpoch: 20,
    });
    const bytes: number[] = [];
    await trainer.run(data.training, data.validation, { step: () => bytes.push(gpu().bytes) });
    trainer.destroy();
    expect(bytes).toHaveLength(20);
    expect(new Set(bytes.slice(2))).toEqual(new Set([bytes[2]]));
  });

  it("ends after the step in flight when it is told to stop", async () => {
    const controller = new AbortController();
    const trainer = await Trainer.create(gpu(), { ...options, signal: controller.signal });
    const stop = (): void => controller.abort(new Error("Interrupted."));
    await expect(trainer.run(data.training, data.validation, { step: stop })).rejects.toThrow("Interrupted.");
    expect(trainer.steps).toBeLessThanOrEqual(3);
    await fingerprint(trainer);
    trainer.destroy();
  });

  it("stops when the loss is no longer a number", async () => {
    const trainer = await Trainer.create(gpu(), options);
    trainer.variables.write("head/bias", new Float32Array(59).fill(NaN));
    await expect(trainer.run(data.training, data.validation, {})).rejects.toThrow(TrainingDivergedError);
    trainer.destroy();
  });
});
