import { Command, Option } from "commander";
import { MASK_PNGS } from "../../use/mask-kinds.ts";
import type { MaskPng } from "../../use/mask-kinds.ts";
import { OUTPUTS } from "../../use/output-kinds.ts";
import type { OutputKind } from "../../use/output-kinds.ts";
import { addShardsOptions } from "../bulk-options.ts";
import type { ShardsFlags } from "../bulk-options.ts";
import { addModelOptions } from "../model-options.ts";
import type { ModelFlags } from "../model-options.ts";
import { namesOf } from "../names-option.ts";
import { userPath } from "../user-path.ts";
import { addViewOptions } from "../view-options.ts";
import type { ViewFlags } from "../view-options.ts";

export interface PredictFlags extends Omit<ModelFlags, "batchSize">, ViewFlags, ShardsFlags {
  readonly batchSize?: number | "auto";
  readonly shard?: string;
  readonly out: string;
  readonly maskPng?: MaskPng;
  readonly outlines?: readonly OutlineKind[];
  readonly outputs?: readonly OutputKind[];
  readonly logits?: true;
}

const OUTLINES = ["geojson", "coco"] as const;
type OutlineKind = (typeof OUTLINES)[number];

/** What `predict` takes and says of itself; `src/cli/predict.ts` is what it does. */
export function predictCommand(): Command {
  const command = addViewOptions(addModelOptions(new Command("predict"), { auto: true })).description(
    "Labels every pixel of photos with a trained model.",
  );
  return addShardsOptions(
    command,
    "a photo, or a folder of photos (its subfolders are searched in shards alone)",
  )
    .option(
      "--shard <part/parts>",
      "label one of so many equal parts of the shards: 3/100, or auto/100 for the one that Slurm or Kubernetes says",
    )
    .requiredOption("--out <folder>", "gets a mask, an overlay and the class shares of each photo", userPath)
    .addOption(
      new Option(
        "--mask-png <kind>",
        "masks whose pixels are grey levels (the default) or places in a palette of the class colours; both are class ids",
      ).choices(MASK_PNGS),
    )
    .addOption(
      new Option(
        "--outputs <kinds>",
        `which files are made of each photo, with commas between: ${OUTPUTS.join(", ")}; all without it, and overlays take longest`,
      ).argParser(namesOf(OUTPUTS)),
    )
    .addOption(
      new Option(
        "--outlines <kinds>",
        "write areas too: geojson (polygons, a file a photo), coco (run lengths, one file), or both with a comma",
      ).argParser(namesOf(OUTLINES)),
    )
    .option("--logits", "write the network's logits of each photo too");
}
