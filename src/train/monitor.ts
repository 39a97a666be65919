import type { TrainConfig } from "../config/index.ts";
import { IGNORE } from "../data/dataset.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import { nothingCounts } from "./phase/evaluate.ts";
import { bestText } from "../runs/monitor.ts";
import type { Monitor } from "../runs/monitor.ts";

export interface MonitorChoice {
  readonly monitor: Monitor;
  /** What the user should know of it. */
  readonly remark: string;
}

/** With more than this share of background, calling everything background is a good accuracy and a bad answer. */
const MOSTLY_BACKGROUND = 1 / 2;

/**
 * What decides which epoch is best: what the configuration names, or, with `auto`, the mean IoU where background (class 0) has more
 * than half of the validation pixels, else the accuracy.
 *
 * @throws DataError when no pixel of the validation photos counts, so that nothing could be decided.
 */
export async function chooseMonitor(
  { monitor, patience }: Pick<TrainConfig, "monitor" | "patience">,
  validation: SegmentationDataset,
): Promise<MonitorChoice> {
  const followed = patience === null ? "" : ", and --patience goes by it";
  const remark = (chosen: Monitor, why: string): string =>
    `The best epoch is that with ${bestText(chosen)}${followed}${why}.`;
  if (monitor !== "auto" && !validation.ignores) return { monitor, remark: remark(monitor, "") };
  const { background, counted } = await countPixels(validation);
  if (counted === 0) throw nothingCounts(validation.size);
  if (monitor !== "auto") return { monitor, remark: remark(monitor, "") };
  const share = background / counted;
  const chosen = share > MOSTLY_BACKGROUND ? "val_mean_iou" : "val_accuracy";
  const why = `: background is ${(100 * share).toFixed(1)} % of the validation pixels (--monitor names another)`;
  return { monitor: chosen, remark: remark(chosen, why) };
}

async function countPixels(photos: SegmentationDataset): Promise<{ background: number; counted: number }> {
  let background = 0;
  let counted = 0;
  for (let index = 0; index < photos.size; index++) {
    for (const label of (await photos.load(index)).mask) {
      if (label === 0) background++;
      if (!photos.ignores || label !== IGNORE) counted++;
    }
  }
  return { background, counted };
}
