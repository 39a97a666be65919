import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { appendHistory, createHistory, parseHistory, readHistory } from "../../src/train/history.ts";
import type { HistoryRow } from "../../src/train/history.ts";

const row = (epoch: number, phase: HistoryRow["phase"]): HistoryRow => ({
  epoch,
  phase,
  loss: 1.25,
  accuracy: 0.5,
  valLoss: 1.5,
  valAccuracy: 0.75,
  seconds: 2.25,
});

describe("history.csv", () => {
  it("has the columns people expect and reads back", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "bespoke-history-")), "history.csv");
    await createHistory(path);
    await appendHistory(path, row(1, "frozen"));
    await appendHistory(path, row(2, "finetune"));
    expect((await readFile(path, "utf8")).split("\n")).toEqual([
      "epoch,phase,loss,accuracy,val_loss,val_accuracy,seconds",
      "1,frozen,1.250000,0.5000000,1.500000,0.7500000,2.25",
      "2,finetune,1.250000,0.5000000,1.500000,0.7500000,2.25",
      "",
    ]);
    expect(await readHistory(path)).toEqual([row(1, "frozen"), row(2, "finetune")]);
    await expect(createHistory(path)).rejects.toThrow("EEXIST");
  });

  it("says when a file is no history", () => {
    expect(() => parseHistory("a,b\n1,2\n")).toThrow('its first line is "a,b"');
  });
});
