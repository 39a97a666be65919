import { Command, InvalidArgumentError, Option } from "commander";
import type { Gpu } from "../gpu/gpu.ts";
import { resolveConfig } from "../train/config.ts";
import type { TrainFlags } from "../train/config.ts";
import { createProgress } from "../train/progress.ts";
import { train } from "../train/train.ts";
import { describeAdapter } from "./adapters.ts";
import { openGpu } from "./open-gpu.ts";
import { runCommand } from "./run-command.ts";

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new InvalidArgumentError(`"${text}" is not a number.`);
  return value;
};

const command = new Command("train")
  .description("Trains the DenseNet121 U-Net: the decoder on a frozen encoder, then everything.")
  .option("--data <folder>", "folder with images/ and masks/; without it, people are drawn")
  .option("--weights <path>", "tfjs folder, Keras .h5 or .safetensors to begin with, or none")
  .addOption(new Option("--preset <name>", "settings to begin from").choices(["quick", "article"]))
  .option("--image-size <pixels>", "side of the square photos, a multiple of 32", number)
  .option("--batch-size <photos>", "photos a step", number)
  .option("--epochs-frozen <epochs>", "epochs with the encoder frozen", number)
  .option("--epochs-finetune <epochs>", "epochs with everything trained", number)
  .option("--steps-per-epoch <steps>", "steps an epoch", number)
  .option("--learning-rate <rate>", "RMSprop's learning rate", number)
  .option("--finetune-learning-rate <rate>", "the same for the fine-tuning phase", number)
  .option("--validation-photos <photos>", "validate on at most so many", number)
  .option("--seed <seed>", "decides the split, first weights, order and augmentation", number)
  .option("--out <folder>", "where the run is written; by default runs/train-1, runs/train-2 …");

await runCommand(command, async (interrupted) => {
  const { weights, ...flags } = command.opts<TrainFlags>();
  const say = (sentence: string): void => void process.stdout.write(`${sentence}\n`);
  let gpu: Gpu | undefined;
  try {
    // Flags that cannot be used are told of before an adapter is opened.
    resolveConfig(flags, "hardware");
    gpu = await openGpu();
    const { kind, name } = describeAdapter(gpu);
    const config = resolveConfig({ ...flags, weights: weights === "none" ? null : weights }, kind);
    say(`Adapter: ${name} (${kind})`);
    const { preset, imageSize, batchSize, epochsFrozen, epochsFinetune, stepsPerEpoch } = config;
    say(
      `Preset ${preset}${flags.preset ? "" : ", the default on such an adapter"}: ${imageSize}×${imageSize}, batch ` +
        `${batchSize}, ${epochsFrozen} + ${epochsFinetune} epochs of ${stepsPerEpoch} steps`,
    );
    const epochs = epochsFrozen + epochsFinetune;
    const progress = createProgress(process.stdout, { batchSize, stepsPerEpoch, epochs });
    const summary = await train({ config, gpu, progress, say, signal: interrupted });
    say(
      `val_accuracy ${summary.val_accuracy.toFixed(4)} on ${summary.validation_photos} photos (background everywhere: ` +
        `${summary.background_accuracy.toFixed(4)}), ${summary.steps} steps in ${summary.seconds.toFixed(0)} s`,
    );
  } finally {
    gpu?.destroy();
  }
});
