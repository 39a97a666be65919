import { describe, expect, it } from "vitest";
import { failsOnAllRanks, onAllRanks, refuseDifferentRanks } from "../../src/train/alike.ts";
import type { RankFacts } from "../../src/train/alike.ts";
import { InterruptedError } from "../../src/train/phase/agreement.ts";
import { TrainingDivergedError } from "../../src/train/training-diverged-error.ts";
import { inProcessRanks } from "../helpers/in-process-ranks.ts";

const facts: RankFacts = {
  version: "1.0.0",
  settings: { seed: "1", batch_size: "64" },
  data: "photos",
  weights: "abc",
  state: "null",
};

describe("ranks", () => {
  it.each([
    ["another version", { version: "1.0.1" }, "it is version 1.0.1 and not 1.0.0"],
    ["another setting", { settings: { ...facts.settings, seed: "2" } }, "its seed is 2 and not 1"],
    ["other photos", { data: "others" }, "its photos and masks are others"],
    ["other weights", { weights: "abd" }, "the weights that it begins with are others"],
    ["another checkpoint", { state: "{}" }, "the checkpoint that it goes on from is another"],
  ])("are refused with %s, on all of them", async (_, other, difference) => {
    const outcomes = await Promise.allSettled(
      inProcessRanks(3).map((ranks) =>
        refuseDifferentRanks(ranks, ranks.rank === 2 ? { ...facts, ...other } : facts),
      ),
    );
    for (const outcome of outcomes) {
      const reason: unknown = (outcome as PromiseRejectedResult).reason;
      expect(reason).toMatchObject({
        message: `Rank 2 does not train what rank 0 trains: ${difference}. Start all ranks with the same command, files and version.`,
      });
      expect(failsOnAllRanks(reason)).toBe(true);
    }
  });

  it("go on where they are alike", async () => {
    await Promise.all(inProcessRanks(3).map((ranks) => refuseDifferentRanks(ranks, { ...facts })));
  });

  it("do what has to be done before they train, or none goes on", async () => {
    const all = (works: (() => Promise<number>)[]) =>
      Promise.allSettled(inProcessRanks(works.length).map((ranks, i) => onAllRanks(ranks, works[i])));
    const fine = () => Promise.resolve(3);
    expect(await all([fine, fine])).toEqual([
      { status: "fulfilled", value: 3 },
      { status: "fulfilled", value: 3 },
    ]);
    const own = new Error("no such photo");
    const outcomes = await all([fine, () => Promise.reject(own), fine]);
    expect(outcomes).toMatchObject([
      { reason: { message: "Rank 1 could not begin: no such photo" } },
      { reason: own },
      { reason: { message: "Rank 1 could not begin: no such photo" } },
    ]);
    for (const outcome of outcomes)
      expect(failsOnAllRanks((outcome as PromiseRejectedResult).reason)).toBe(true);
    expect(await onAllRanks(undefined, fine)).toBe(3);
  });

  it("fail together where a loss is no number or one was told to stop, and alone with their device", () => {
    const diverged = new TrainingDivergedError({ epoch: 1, step: 2 }, 1, "loss");
    expect(failsOnAllRanks(diverged)).toBe(true);
    expect(failsOnAllRanks(new Error("told", { cause: diverged }))).toBe(true);
    expect(failsOnAllRanks(new InterruptedError("Another rank was told to stop."))).toBe(true);
    expect(failsOnAllRanks(new Error("The device was lost."))).toBe(false);
    expect(failsOnAllRanks("anything")).toBe(false);
  });
});
