import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import type { Precision } from "../config/index.ts";
import { parseSize } from "../image-size.ts";
import type { Size } from "../data/resize.ts";
import { precisionOption } from "./precision-option.ts";
import { userModel } from "./user-path.ts";

/** What every command says that uses a trained network. */
export interface ModelFlags {
  readonly model: string;
  readonly imageSize?: Size;
  readonly batchSize?: number;
  readonly adapter?: string;
  readonly precision?: Precision;
}

/**
 * @param command gets the flags of {@link ModelFlags}.
 * @param options.adapter whether that of the adapter too; false where the network is run elsewhere
 * @param options.auto whether `--batch-size auto` is taken
 */
export function addModelOptions(command: Command, { adapter = true, auto = false } = {}): Command {
  command
    .requiredOption(
      "--model <path>",
      "the folder of a run (its best checkpoint), or the file of a model (docs/models.md)",
      userModel,
    )
    .option("--image-size <pixels|HxW>", "another size than the one the model was trained at", imageSize)
    .option(
      auto ? "--batch-size <photos|auto>" : "--batch-size <photos>",
      auto
        ? "photos at once; auto tries what is fastest on this adapter, in some 20 seconds"
        : "photos at once",
      auto ? (text: string) => (text === "auto" ? text : positive(text)) : positive,
    );
  if (adapter) addAdapterOption(command);
  return command.addOption(
    precisionOption(
      "what activations are stored in; without it as the model was trained, f32 where the adapter has no f16",
    ),
  );
}

/** @param command gets `--adapter`. */
export function addAdapterOption(command: Command): Command {
  return command.option(
    "--adapter <name>",
    "hardware, lavapipe, swiftshader, or a part of an adapter's name",
  );
}

/** Reads a flag that is a size: the side of a square, or height by width. */
export function imageSize(text: string): Size {
  const size = parseSize(text);
  if (size === null)
    throw new InvalidArgumentError(
      `"${text}" is neither a number of pixels nor height by width, such as 96x64.`,
    );
  return size;
}

/** Reads a flag that is a whole number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`"${text}" is not a whole number above 0.`);
  return value;
}
