import { describe, expect, it } from "vitest";
import type { HistoryRow } from "../../src/runs/history.ts";
import { afterEpoch, INITIAL_STATE, parseState } from "../../src/runs/training-state.ts";

const row: HistoryRow = {
  epoch: 1,
  phase: "frozen",
  loss: 1.1,
  accuracy: 1 / 3,
  valLoss: 0.7,
  valAccuracy: 0.6,
  valMeanIou: 0.1,
  valDice: 0.2,
  valFwIou: 0.3,
  seconds: 2,
};

describe("parseState", () => {
  it("reads back what a checkpoint holds, to the bit", () => {
    const state = afterEpoch(INITIAL_STATE, row);
    expect(parseState(JSON.stringify(state))).toEqual(state);
  });

  it("reads one of an earlier version, whose epochs have fewer figures", () => {
    const later = ["valDice", "valFwIou"];
    const before = Object.fromEntries(Object.entries(row).filter(([name]) => !later.includes(name)));
    const state = { ...INITIAL_STATE, epoch: 1, history: [before] };
    expect(parseState(JSON.stringify(state))?.history).toEqual([
      { ...before, valDice: null, valFwIou: null },
    ]);
  });

  it("is null for what is none", () => {
    expect(parseState(undefined)).toBeNull();
    expect(parseState("{}")).toBeNull();
    expect(parseState("no JSON")).toBeNull();
  });
});
