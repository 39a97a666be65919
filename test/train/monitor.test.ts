import { describe, expect, it } from "vitest";
import { IGNORE } from "../../src/data/dataset.ts";
import type { SegmentationDataset } from "../../src/data/dataset.ts";
import { chooseMonitor } from "../../src/train/monitor.ts";

const SQUARE = { height: 2, width: 2 };

/** Photos of a pixel a number. */
const photosOf = (masks: readonly number[][], ignores = false): SegmentationDataset => ({
  size: masks.length,
  imageSize: SQUARE,
  classNames: ["background", "thing"],
  ignores,
  names: masks.map((_, i) => `p${i}`),
  load: (index) =>
    Promise.resolve({ ...SQUARE, image: new Float32Array(12), mask: Uint8Array.from(masks[index]) }),
});

const automatic = { monitor: "auto", patience: null } as const;
const mostly = photosOf([
  [0, 0, 0, 1],
  [0, 0, 1, 1],
]);

describe("chooseMonitor", () => {
  it("takes the mean IoU where background has more than half of the pixels, and says why", async () => {
    expect(await chooseMonitor(automatic, mostly)).toEqual({
      monitor: "val_mean_iou",
      remark:
        "The best epoch is that with the highest val_mean_iou: background is 62.5 % of the validation pixels (--monitor names another).",
    });
    expect(await chooseMonitor(automatic, photosOf([[0, 0, 1, 1]]))).toMatchObject({
      monitor: "val_accuracy",
    });
  });

  it("leaves pixels that do not count out of account, where 255 means that", async () => {
    const masks = [[0, 0, 1, IGNORE]];
    expect(await chooseMonitor(automatic, photosOf(masks, true))).toMatchObject({ monitor: "val_mean_iou" });
    expect(await chooseMonitor(automatic, photosOf(masks))).toMatchObject({ monitor: "val_accuracy" });
  });

  it("takes what is named, and says that patience goes by it", async () => {
    expect(await chooseMonitor({ monitor: "val_loss", patience: 3 }, mostly)).toEqual({
      monitor: "val_loss",
      remark: "The best epoch is that with the lowest val_loss, and --patience goes by it.",
    });
  });

  it.each(["auto", "val_dice"] as const)("refuses photos of which no pixel counts (%s)", async (monitor) => {
    const nothing = photosOf([Array<number>(4).fill(IGNORE)], true);
    await expect(chooseMonitor({ monitor, patience: null }, nothing)).rejects.toThrow(
      "No pixel of the one photo to evaluate on counts, as all of their masks are to be ignored: give photos whose masks name classes.",
    );
  });
});
