import { Command, InvalidArgumentError, Option } from "commander";
import { schema } from "../../config/index.ts";
import { FORMAT_NAMES } from "../../data/formats/names.ts";
import type { FormatName } from "../../data/formats/names.ts";
import { RESOLUTIONS } from "../../use/evaluation-report.ts";
import type { Resolution } from "../../use/evaluation-report.ts";
import { SPLITS } from "../../use/splits.ts";
import type { EvaluationSplit } from "../../use/splits.ts";
import { addModelOptions } from "../model-options.ts";
import type { ModelFlags } from "../model-options.ts";
import { userPath } from "../user-path.ts";
import { addViewOptions } from "../view-options.ts";
import type { ViewFlags } from "../view-options.ts";

export interface EvalFlags extends ModelFlags, ViewFlags {
  readonly resolution?: Resolution;
  readonly data?: string;
  readonly split?: EvaluationSplit;
  readonly lossyMasks?: true;
  readonly format?: FormatName;
  readonly labelMap?: string;
  readonly ignoreLabel?: number | "auto" | typeof NONE;
  readonly json?: string;
  readonly figures?: string;
  readonly photos?: string;
}

/** Said for no such number. */
export const NONE = "none";

/** What `eval` takes and says of itself; `src/cli/eval.ts` is what it does. */
export function evalCommand(): Command {
  return addViewOptions(addModelOptions(new Command("eval")))
    .description("Tells how well a trained model labels photos whose masks are known.")
    .option(
      "--data <folder>",
      "photos and masks; without it, the photos that the model's run held back",
      userPath,
    )
    .addOption(
      new Option(
        "--split <which>",
        "all photos of --data (the default), the part the model's run validated or trained on, or the data's own test part",
      ).choices(SPLITS),
    )
    .option(
      "--lossy-masks",
      "take masks that are JPEG, lossy WebP or AVIF; without it, where the model's run took them",
    )
    .addOption(
      new Option("--format <name>", "read --data as this format; without it, recognised").choices(
        FORMAT_NAMES,
      ),
    )
    .option("--label-map <file>", "what becomes which class; without it, as the model's run had it", userPath)
    .addOption(
      new Option(
        "--ignore-label <n>",
        "number of pixels that do not count, auto or none; without it, as the model's run had it",
      ).argParser((text) => ignoreLabelOf(text)),
    )
    .addOption(
      new Option(
        "--resolution <which>",
        "compare masks at the model's size (the default) or at each photo's own, as with --window and --tta",
      ).choices(RESOLUTIONS),
    )
    .option("--json <file>", "write everything, the confusion matrix too, to this file", userPath)
    .option("--photos <file>", "write how well each photo was labelled to this file, as CSV", userPath)
    .option(
      "--figures <folder>",
      "write confusion, the classes, the worst and the best photos as PNGs to this folder",
      userPath,
    );
}

function ignoreLabelOf(text: string): number | "auto" | typeof NONE {
  if (text === NONE) return NONE;
  const result = schema.shape.ignoreLabel.safeParse(/^\d+$/.test(text) ? Number(text) : text);
  if (!result.success) throw new InvalidArgumentError(`It ${result.error.issues[0].message}, or none.`);
  return result.data!;
}
