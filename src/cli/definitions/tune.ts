import { Command, Option } from "commander";
import type { Precision } from "../../config/index.ts";
import type { ImageSize } from "../../image-size.ts";
import { DEFAULT_ENCODER, ENCODER_NAMES } from "../../layers/networks/encoders.ts";
import { imageSize, positive } from "../model-options.ts";
import { precisionOption } from "../precision-option.ts";
import { userPath } from "../user-path.ts";

export interface TuneFlags {
  readonly encoder: string;
  readonly size?: ImageSize;
  readonly batch?: number;
  readonly precision: Precision;
  readonly seconds?: number;
  readonly export?: string;
  readonly adapter?: string;
}

/** What `tune` takes and says of itself; `src/cli/tune.ts` is what it does. */
export function tuneCommand(): Command {
  return new Command("tune")
    .description(
      "Times the tiles of a training step's matrix products on the adapter, says which are quickest and keeps them for training.",
    )
    .addOption(
      new Option("--encoder <name>", "the encoder").choices(ENCODER_NAMES).default(DEFAULT_ENCODER.name),
    )
    .option("--size <pixels|HxW>", "what photos are resized to (128; on a software adapter 64)", imageSize)
    .option("--batch <photos>", "photos a step (64; on a software adapter 2)", positive)
    .addOption(precisionOption("what activations are stored in").default("f32"))
    .option("--seconds <n>", "begin no other product after so long (60; on a software adapter 300)", positive)
    .option("--export <file>", "write what the adapter found, to be contributed (CONTRIBUTING.md)", userPath)
    .option("--adapter <name>", "hardware, lavapipe, swiftshader, or a part of an adapter's name");
}
