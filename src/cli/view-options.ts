import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { parseSize } from "../image-size.ts";
import type { Size } from "../image-size.ts";
import { namesOf } from "./names-option.ts";
import { TTA_NAMES } from "../use/views.ts";
import type { Tta } from "../use/views.ts";

/** How the network is to look at photos. */
export interface ViewFlags {
  readonly window?: Size | "whole" | null;
  readonly overlap?: number;
  readonly tta?: readonly Tta[];
}

/** As MONAI's `SlidingWindowInferer` has it. */
export const OVERLAP = 0.25;

/** @param command gets the flags of {@link ViewFlags}. */
export function addViewOptions(command: Command): Command {
  return command
    .option(
      "--window <pixels|HxW|whole>",
      "see photos at their own size, in windows of this size that slide over them, or all of a photo at once",
      windowOf,
    )
    .option("--overlap <share>", `share of a window that is also the next one's (${OVERLAP})`, overlapOf)
    .addOption(
      new Option(
        "--tta <names>",
        `test-time augmentation, averaged as probabilities: ${TTA_NAMES.join(", ")}, or both with a comma`,
      ).argParser(namesOf(TTA_NAMES)),
    );
}

function windowOf(text: string): Size | "whole" {
  if (text === "whole") return text;
  const size = parseSize(text);
  if (size === null)
    throw new InvalidArgumentError(
      `"${text}" is neither a number of pixels nor height by width, such as 96x64, nor whole.`,
    );
  return size;
}

function overlapOf(text: string): number {
  const share = text.trim() === "" ? NaN : Number(text);
  // More would be hundreds of windows a pixel.
  if (!(share >= 0 && share <= 0.9)) throw new InvalidArgumentError(`"${text}" is not from 0 to 0.9.`);
  return share;
}
