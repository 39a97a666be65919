import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { appendHistory, bestRow, parseHistory, readHistory, writeHistory } from "../../src/runs/history.ts";
import type { HistoryRow } from "../../src/runs/history.ts";

const row = (epoch: number, phase: HistoryRow["phase"]): HistoryRow => ({
  epoch,
  phase,
  loss: 1.25,
  accuracy: 0.5,
  valLoss: 1.5,
  valAccuracy: 0.75,
  valMeanIou: 0.125,
  seconds: 2.25,
});

describe("history.csv", () => {
  it("has the columns people expect and reads back", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "bespoke-history-")), "history.csv");
    await writeHistory(path, [row(1, "frozen")]);
    await appendHistory(path, row(2, "finetune"));
    expect((await readFile(path, "utf8")).split("\n")).toEqual([
      "epoch,phase,loss,accuracy,val_loss,val_accuracy,val_mean_iou,seconds",
      "1,frozen,1.250000,0.5000000,1.500000,0.7500000,0.1250000,2.25",
      "2,finetune,1.250000,0.5000000,1.500000,0.7500000,0.1250000,2.25",
      "",
    ]);
    expect(await readHistory(path)).toEqual([row(1, "frozen"), row(2, "finetune")]);
    await writeHistory(path, []);
    expect(await readHistory(path)).toEqual([]);
  });

  it("says when a file is no history", () => {
    expect(() => parseHistory("a,b\n1,2\n")).toThrow('its first line is "a,b"');
  });

  it("knows its best row, the first of equal ones", () => {
    const rows = [0.5, 0.75, 0.75, 0.6].map((valAccuracy, i) => ({ ...row(i + 1, "frozen"), valAccuracy }));
    expect(bestRow(rows)?.epoch).toBe(2);
    expect(bestRow([])).toBeNull();
  });
});
