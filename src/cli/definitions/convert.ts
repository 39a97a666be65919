import { Command } from "commander";
import { imageSize } from "../model-options.ts";
import { userPath } from "../user-path.ts";

/** What `convert` takes and says of itself; `src/cli/convert.ts` is what it does. */
export function convertCommand(): Command {
  return new Command("convert")
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
}
