import { describeAdapter } from "../adapter/adapters.ts";
import { openGpu } from "../adapter/open-gpu.ts";
import type { Precision } from "../config/index.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { sizeText, toSize } from "../image-size.ts";
import { machineMemory } from "../train/forecast/machine-memory.ts";
import { batchSizeText, chooseBatchSize } from "../use/choose-batch-size.ts";
import { createLabeller } from "../use/create-labeller.ts";
import type { LabellerOptions } from "../use/create-labeller.ts";
import type { Labeller } from "../use/labeller.ts";
import { ModelError } from "../use/model.ts";
import type { Model } from "../use/model.ts";
import { makeOutputFolder } from "../use/output-folder.ts";
import { choosePrecision } from "../use/precision.ts";
import { collectLessOften } from "./collect-less-often.ts";
import type { ModelFlags } from "./model-options.ts";

/** What a model is to be run with. */
export interface LabellerFlags
  extends Pick<ModelFlags, "adapter" | "precision">, Pick<LabellerOptions, "window" | "overlap" | "tta"> {
  /** As {@link LabellerOptions.batchSize}, or what is fastest on the adapter. */
  readonly batchSize: number | "auto" | undefined;
  /** Photos there are, where that is known. */
  readonly photos?: number;
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
  { adapter, precision: asked, window, overlap, tta, batchSize: wanted, photos, out }: LabellerFlags,
  say: (text: string) => void,
  use: (labeller: Labeller) => Promise<T>,
): Promise<T> {
  collectLessOften();
  const gpu = await openGpu(adapter === undefined ? {} : { adapter });
  try {
    const { kind, name } = describeAdapter(gpu);
    say(`Adapter: ${name} (${kind})`);
    const { precision, text } = choosePrecision(gpu, model, asked);
    say(`Model: ${model.file}, ${sizeText(model.imageSize)}, ${model.classNames.length} classes`);
    say(`Precision: ${text}`);
    await makeOutputFolder(out);
    const batchSize =
      wanted === "auto" ? await fastest(gpu, model, { precision, window, photos, say }) : wanted;
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

/** The batch size that is fastest, which is said; undefined where photos are seen whole, one at a time. */
async function fastest(
  gpu: Gpu,
  model: Model,
  {
    precision,
    window,
    photos,
    say,
  }: Pick<LabellerFlags, "window" | "photos"> & { precision: Precision; say: (text: string) => void },
): Promise<number | undefined> {
  if (window === "whole") return undefined;
  const rates = await chooseBatchSize(gpu, model, {
    size: window === null ? model.imageSize : toSize(window),
    precision,
    // A photo may have any number of windows.
    most: window === null ? photos : undefined,
    // An adapter that runs on the CPU has its buffers in the machine's memory.
    mostBytes: describeAdapter(gpu).software ? machineMemory() / 2 : undefined,
  });
  say(`Batch size: ${batchSizeText(rates)}`);
  return rates.at(-1)!.batchSize;
}
