import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { sideProblem } from "../layers/networks/image-size.ts";
import type { LabellerOptions } from "../use/create-labeller.ts";
import { ModelError } from "../use/model.ts";
import type { Model } from "../use/model.ts";
import { namesOf } from "./names-option.ts";
import { TTA_NAMES } from "../use/views.ts";
import type { Tta } from "../use/views.ts";

/** How the network is to look at photos. */
export interface ViewFlags {
  readonly window?: LabellerOptions["window"];
  readonly overlap?: number;
  readonly tta?: readonly Tta[];
}

/** As MONAI's `SlidingWindowInferer` has it. */
const OVERLAP = 0.25;

/** @param command gets the flags of {@link ViewFlags}. */
export function addViewOptions(command: Command): Command {
  return command
    .option(
      "--window <pixels|whole>",
      "see photos at their own size, in windows of this side that slide over them, or all of a photo at once",
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
  const problem = typeof window === "number" ? sideProblem(encoder, window) : null;
  if (problem !== null) throw new ModelError(`--window ${problem}, or whole (it is ${window}).`);
  if (overlap !== undefined && typeof window !== "number")
    throw new ModelError("--overlap is of windows, and there are none: give --window too, 512 for example.");
  return { window, overlap: overlap ?? OVERLAP, tta };
}

function windowOf(text: string): number | "whole" {
  if (text === "whole") return text;
  const side = Number(text);
  if (!Number.isInteger(side) || side < 1)
    throw new InvalidArgumentError(`"${text}" is neither a number of pixels nor whole.`);
  return side;
}

function overlapOf(text: string): number {
  const share = text.trim() === "" ? NaN : Number(text);
  // More would be hundreds of windows a pixel.
  if (!(share >= 0 && share <= 0.9)) throw new InvalidArgumentError(`"${text}" is not from 0 to 0.9.`);
  return share;
}
