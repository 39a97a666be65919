import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { appendHistory, parseHistory, readHistory, writeHistory } from "../../src/runs/history.ts";
import type { HistoryRow } from "../../src/runs/history.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const row = (epoch: number, phase: HistoryRow["phase"]): HistoryRow => ({
  epoch,
  phase,
  loss: 1.25,
  accuracy: 0.5,
  valLoss: 1.5,
  valAccuracy: 0.75,
  valMeanIou: 0.125,
  valDice: 0.25,
  valFwIou: 0.625,
  seconds: 2.25,
});

describe("history.csv", () => {
  const inFolder = temporaryFolder();

  it("has the columns people expect and reads back", async () => {
    const path = inFolder("history.csv");
    await writeHistory(path, [row(1, "frozen")]);
    await appendHistory(path, row(2, "finetune"));
    expect((await readFile(path, "utf8")).split("\n")).toEqual([
      "epoch,phase,loss,accuracy,val_loss,val_accuracy,val_mean_iou,val_dice,val_fw_iou,seconds",
      "1,frozen,1.250000,0.5000000,1.500000,0.7500000,0.1250000,0.2500000,0.6250000,2.25",
      "2,finetune,1.250000,0.5000000,1.500000,0.7500000,0.1250000,0.2500000,0.6250000,2.25",
      "",
    ]);
    expect(await readHistory(path)).toEqual([row(1, "frozen"), row(2, "finetune")]);
    await writeHistory(path, []);
    expect(await readHistory(path)).toEqual([]);
  });

  it("says when a file is no history", () => {
    expect(() => parseHistory("a,b\n1,2\n")).toThrow('its first line is "a,b"');
  });

  it("of an earlier version is read, and written with what it does not know left empty", async () => {
    const before =
      "epoch,phase,loss,accuracy,val_loss,val_accuracy,val_mean_iou,seconds\n" +
      "1,frozen,1.250000,0.5000000,1.500000,0.7500000,0.1250000,2.25\n";
    const rows = parseHistory(before);
    expect(rows).toEqual([{ ...row(1, "frozen"), valDice: null, valFwIou: null }]);
    const path = inFolder("history.csv");
    await writeHistory(path, rows);
    await appendHistory(path, row(2, "frozen"));
    expect((await readFile(path, "utf8")).split("\n")[1]).toBe(
      "1,frozen,1.250000,0.5000000,1.500000,0.7500000,0.1250000,,,2.25",
    );
    expect(await readHistory(path)).toEqual([...rows, row(2, "frozen")]);
  });
});
