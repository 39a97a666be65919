import { expect, it } from "vitest";
import type { Contender } from "../../bench/contender.ts";
import { compare } from "../../bench/measure.ts";

/** Sleeps for `ms` a run and says so in `log`. */
const sleeper = (name: string, ms: number, log: string[]): Contender => ({
  async run(repeats) {
    log.push(name);
    await new Promise((resolve) => setTimeout(resolve, repeats * ms));
    return repeats;
  },
  read: () => Promise.resolve([]),
  destroy: () => {},
});

it("times both in turns, three times at least, and reckons by run", async () => {
  const log: string[] = [];
  const { ours, theirs, ratio } = await compare(sleeper("a", 10, log), sleeper("b", 60, log), 1);
  expect(log.slice(-8).join("")).toBe("abababab");
  expect(ours.count).toBe(3);
  expect(theirs?.count).toBe(3);
  expect(ours.median).toBeGreaterThan(9);
  expect(ours.median).toBeLessThan(60);
  expect(ours.host).toBe(1);
  expect(theirs!.median).toBeGreaterThan(59);
  expect(ratio).toBeGreaterThan(1);
});

it("does without the other", async () => {
  const { theirs, ratio } = await compare(sleeper("a", 40, []), null, 1);
  expect([theirs, ratio]).toEqual([null, null]);
});
