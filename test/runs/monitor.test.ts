import { describe, expect, it } from "vitest";
import { bestRow, bestText, monitored } from "../../src/runs/monitor.ts";
import type { HistoryRow } from "../../src/runs/history.ts";

/** Five epochs, each the best by one of the figures; later ones only equal it. */
const rows: HistoryRow[] = [1, 2, 3, 4, 5, 6].map((epoch) => ({
  epoch,
  phase: "frozen",
  loss: 1,
  accuracy: 0.5,
  valAccuracy: epoch === 1 || epoch === 6 ? 0.9 : 0.5,
  valMeanIou: epoch === 2 || epoch === 6 ? 0.9 : 0.5,
  valDice: epoch === 3 || epoch === 6 ? 0.9 : 0.5,
  valFwIou: epoch === 4 || epoch === 6 ? 0.9 : 0.5,
  valLoss: epoch === 5 || epoch === 6 ? 0.1 : 0.5,
  seconds: 1,
}));

describe("what is monitored", () => {
  it.each([
    ["val_accuracy", 1, 0.9],
    ["val_mean_iou", 2, 0.9],
    ["val_dice", 3, 0.9],
    ["val_fw_iou", 4, 0.9],
    ["val_loss", 5, 0.1],
  ] as const)("%s decides which epoch is best, the first of equal ones", (monitor, epoch, value) => {
    const best = bestRow(rows, monitor)!;
    expect(best.epoch).toBe(epoch);
    expect(monitored(best, monitor)).toBe(value);
    expect(bestText(monitor)).toBe(`the ${epoch === 5 ? "lowest" : "highest"} ${monitor}`);
  });

  it("passes over epochs without a figure", () => {
    const some = rows.map((row) => ({ ...row, valDice: row.epoch < 5 ? null : row.valDice, valLoss: NaN }));
    expect(bestRow(some, "val_dice")?.epoch).toBe(6);
    expect(bestRow(some, "val_loss")).toBeNull();
    expect(bestRow([], "val_accuracy")).toBeNull();
  });
});
