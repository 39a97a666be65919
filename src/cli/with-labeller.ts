import { describeAdapter } from "../adapter/adapters.ts";
import { openGpu } from "../adapter/open-gpu.ts";
import { sizeText } from "../image-size.ts";
import { createLabeller } from "../use/create-labeller.ts";
import type { LabellerOptions } from "../use/create-labeller.ts";
import type { Labeller } from "../use/labeller.ts";
import { ModelError } from "../use/model.ts";
import type { Model } from "../use/model.ts";
import { makeOutputFolder } from "../use/output-folder.ts";
import { choosePrecision } from "../use/precision.ts";
import type { ModelFlags } from "./model-options.ts";

/** What a model is to be run with. */
export interface LabellerFlags
  extends
    Pick<ModelFlags, "adapter" | "precision">,
    Pick<LabellerOptions, "window" | "overlap" | "tta" | "batchSize"> {
  /** The folder of the outputs, made when the adapter is open: a place that cannot be written to is told of before the work. */
  readonly out: string;
}

/** Refuses `--logits` where the network says more than one thing of a photo. */
export function refuseLogits(model: Model, { window, tta }: Pick<LabellerFlags, "window" | "tta">): void {
  if (window === null && tta.length === 0 && model.resize !== "short-side") return;
  throw new ModelError(
    "--logits are what the network says of a photo once, at the size it was trained at: leave --window and --tta out, or --logits.",
  );
}

/** Opens the adapter, makes the model ready on it, says what was chosen, lets `use` label photos, and closes all of it. */
export async function withLabeller<T>(
  model: Model,
  { adapter, precision: asked, window, overlap, tta, batchSize, out }: LabellerFlags,
  say: (text: string) => void,
  use: (labeller: Labeller) => Promise<T>,
): Promise<T> {
  const gpu = await openGpu(adapter === undefined ? {} : { adapter });
  try {
    const { kind, name } = describeAdapter(gpu);
    say(`Adapter: ${name} (${kind})`);
    const { precision, text } = choosePrecision(gpu, model, asked);
    say(`Model: ${model.file}, ${sizeText(model.imageSize)}, ${model.classNames.length} classes`);
    say(`Precision: ${text}`);
    await makeOutputFolder(out);
    const labeller = await createLabeller(gpu, model, { window, overlap, tta, batchSize, precision });
    say(`Seen: ${labeller.view}`);
    try {
      return await use(labeller);
    } finally {
      labeller.destroy();
    }
  } finally {
    gpu.destroy();
  }
}
