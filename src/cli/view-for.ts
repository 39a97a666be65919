import { printSize } from "../image-size.ts";
import { sizeProblem } from "../layers/networks/image-size.ts";
import type { LabellerOptions } from "../use/create-labeller.ts";
import { ModelError } from "../use/model.ts";
import type { Model } from "../use/model.ts";
import { OVERLAP } from "./view-options.ts";
import type { ViewFlags } from "./view-options.ts";

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
