import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { parseSize, printSize } from "../image-size.ts";
import type { Size } from "../image-size.ts";
import { sizeProblem } from "../layers/networks/image-size.ts";
import type { LabellerOptions } from "../use/create-labeller.ts";
import { ModelError } from "../use/model.ts";
import type { Model } from "../use/model.ts";
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
const OVERLAP = 0.25;

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

/**
 * What the flags come to for a model.
 *
 * @throws ModelError when its network does not take such windows, or there is an overlap of nothing.
 */
export function viewFor(
  { encoder }: Model,
  { window = null, overlap, tta = [] }: ViewFlags,
): Pick<LabellerOptions, "window" | "overlap" | "tta"> {
  const size = window === "whole" ? null : window;
  const problem = size && sizeProblem(encoder, size);
  if (problem !== null) throw new ModelError(`--window ${problem}, or whole (it is ${printSize(size!)}).`);
  if (overlap !== undefined && size === null)
    throw new ModelError("--overlap is of windows, and there are none: give --window too, 512 for example.");
  return { window, overlap: overlap ?? OVERLAP, tta };
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
