import { describe, expect, it } from "vitest";
import { noAugmentation } from "../../src/data/augment.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { useGpu } from "../helpers/gpu.ts";

// The small network does not overflow.
describe("a whole DenseNet121 in half precision", () => {
  const gpu = useGpu();

  it("ends when the network itself overflows, which no loss scale can mend", async ({ skip }) => {
    const { features, adapterName } = gpu();
    skip(!features.has("shader-f16"), `${adapterName} has no half-precision numbers (shader-f16).`);
    const trainer = await Trainer.create(gpu(), {
      ...{ imageSize: 32, batchSize: 2, classes: 59, precision: "f16", decoder: "transpose" },
      ...{ optimizer: "rmsprop", clipNorm: null, weighted: false, momentum: 0.9, accumulate: 1 },
      ...{
        epochs: { frozen: 1, finetune: 0 },
        stepsPerEpoch: 30,
        learningRate: { frozen: 3, finetune: 1e-4 },
      },
      ...{ schedule: "constant", warmupSteps: 0, normalization: "unit", dropRemainder: true },
      ...{ augment: noAugmentation, shuffleBuffer: null, monitor: "val_accuracy", patience: null },
      ...{ maxSteps: null, time: null, seed: 3, weights: null },
    });
    const data = {
      training: new GeneratedDataset({ size: 8, imageSize: 32 }),
      validation: new GeneratedDataset({ size: 4, imageSize: 32, seed: 9 }),
      classWeights: null,
    };
    try {
      await expect(trainer.run(data)).rejects.toThrow(
        /^Training diverged: half precision overflows in step \d+ of epoch 1, and has for so long/,
      );
    } finally {
      trainer.destroy();
    }
  });
});
