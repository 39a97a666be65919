import { describe, expect, it } from "vitest";
import { Flight, stepsInFlight } from "../../../src/train/phase/steps-in-flight.ts";

describe("stepsInFlight", () => {
  it("covers a tenth of a second, within two and eight", () => {
    expect([1, 12, 25, 50, 100, 5000].map((milliseconds) => stepsInFlight(false, milliseconds))).toEqual([
      8, 8, 5, 3, 2, 2,
    ]);
    expect(stepsInFlight(false, 0)).toBe(8);
    expect(stepsInFlight(false, null)).toBe(2);
    expect(stepsInFlight(true, 1)).toBe(2);
  });
});

/** Steps whose end is decided by hand. */
function steps(count: number) {
  return Array.from({ length: count }, (_, number) => {
    let end!: (outcome: number) => void;
    let fail!: (error: Error) => void;
    const running = new Promise<number>((resolve, reject) => ([end, fail] = [resolve, reject]));
    return { running, end: () => end(number), fail };
  });
}

/** A turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Flight", () => {
  it("lets the second step be submitted before the first has ended, and no third", async () => {
    const flight = new Flight({ onCpu: true });
    const [first, second, third] = steps(3);
    const seen: number[] = [];
    await flight.add(first.running, (outcome) => seen.push(outcome));
    let added = false;
    const adding = flight.add(second.running, (outcome) => seen.push(outcome)).then(() => (added = true));
    await turn();
    expect(added).toBe(false);
    first.end();
    await adding;
    expect(seen).toEqual([0]);
    second.end();
    await flight.add(third.running, (outcome) => seen.push(outcome));
    third.end();
    await flight.drain();
    expect(seen).toEqual([0, 1, 2]);
  });

  it("lets more be under way where steps are short", async () => {
    const flight = new Flight({ onCpu: false });
    const all = steps(12);
    const seen: number[] = [];
    const see = (outcome: number): void => void seen.push(outcome);
    await flight.add(all[0].running, see);
    all[0].end();
    await flight.add(all[1].running, see);
    all[1].end();
    // Two have ended at nearly the same time: from now on eight may be under way.
    await turn();
    for (const { running } of all.slice(2, 9)) await flight.add(running, see);
    expect(seen).toEqual([0, 1]);
    let added = false;
    const ninth = flight.add(all[9].running, see).then(() => (added = true));
    await turn();
    expect(added).toBe(false);
    for (const { end } of all) end();
    await ninth;
    await flight.drain();
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("shows outcomes in the order of submission, whichever comes first", async () => {
    const flight = new Flight({ onCpu: true });
    const [first, second] = steps(2);
    const seen: number[] = [];
    await flight.add(first.running, (outcome) => seen.push(outcome));
    const adding = flight.add(second.running, (outcome) => seen.push(outcome));
    second.end();
    await turn();
    expect(seen).toEqual([]);
    first.end();
    await adding;
    await flight.drain();
    expect(seen).toEqual([0, 1]);
  });

  it("shows nothing after a step that failed or an outcome that was refused, and waits for all", async () => {
    for (const fails of ["step", "see"] as const) {
      const flight = new Flight({ onCpu: true });
      const [first, second] = steps(2);
      const seen: number[] = [];
      await flight.add(first.running, () => {
        if (fails === "see") throw new Error("Refused.");
      });
      const adding = flight.add(second.running, (outcome) => seen.push(outcome));
      adding.catch(() => undefined);
      if (fails === "step") first.fail(new Error("Refused."));
      else first.end();
      await expect(adding).rejects.toThrow("Refused.");
      let landed = false;
      const landing = flight.drain().finally(() => (landed = true));
      landing.catch(() => undefined);
      await turn();
      expect(landed).toBe(false);
      second.end();
      await expect(landing).rejects.toThrow("Refused.");
      expect(seen).toEqual([]);
    }
  });
});
