import { Command } from "commander";
import { findCheckpoint } from "../use/model.ts";
import { convertModel, type ConvertOptions } from "./convert-model.ts";
import { imageSize } from "./model-options.ts";
import { runCommand } from "./run-command.ts";
import { userModel, userPath } from "./user-path.ts";

const command = new Command("convert")
  .description(
    "Reads a model (a run, .safetensors, a Keras .h5 or .keras file, a tfjs folder, torchvision's densenet121) and writes " +
      "it in the format that OUT's name asks for: .safetensors, .h5, .onnx, or a folder for tfjs.",
  )
  .argument("<in>", "the model: a file, a tfjs folder, or the folder of a run (its best checkpoint)")
  .argument("<out>", "what is written")
  .option("--verbose", "say of every weight where it came from and what was done to it")
  .option(
    "--image-size <pixels|HxW>",
    "what photos are resized to, where the model does not say it, or another",
    imageSize,
  )
  .option(
    "--classes <file>",
    "names of the classes: a JSON array, a name a line, or a data set's labels.csv",
    userPath,
  )
  .option("--embed", "ONNX: take photos of any size as bytes and give labels")
  .option("--fold-batch-norm", "ONNX: make batch norms a part of the convolutions before them")
  .option("--force", "replace what is there");

await runCommand(command, async (interrupted) => {
  const from = userModel(command.args[0]);
  const to = userPath(command.args[1]);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const options = { ...command.opts<ConvertOptions>(), signal: interrupted };
  try {
    await convertModel(await findCheckpoint(from), to, options, say);
  } catch (error) {
    if (error === interrupted.reason) say("Stopped: nothing was written.");
    throw error;
  }
});
