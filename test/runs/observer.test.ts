import { describe, expect, it } from "vitest";
import { allOf } from "../../src/runs/observer.ts";
import type { RunObserver, StepResult } from "../../src/runs/observer.ts";

const step = { globalStep: 1 } as StepResult;

describe("allOf", () => {
  /** Observers of which those named throw whatever they are told; `heard` is what each was told. */
  function observers(failing: readonly string[]): { observer: Required<RunObserver>; heard: string[] } {
    const heard: string[] = [];
    const made = ["first", "second", "third"].map((name): RunObserver => {
      const hear = (what: string): void => {
        heard.push(`${name} ${what}`);
        if (failing.includes(name)) throw new Error(`The ${name} has failed.`);
      };
      return { step: () => hear("step"), close: () => Promise.resolve().then(() => hear("close")) };
    });
    return { observer: allOf(made), heard };
  }

  it("tells the others too when one fails, and throws what it threw", async () => {
    const { observer, heard } = observers(["second"]);
    expect(() => observer.step(step)).toThrow(/^The second has failed\.$/);
    expect(heard).toEqual(["first step", "second step", "third step"]);
    await expect(observer.close()).rejects.toThrow(/^The second has failed\.$/);
    expect(heard.slice(3)).toEqual(["first close", "second close", "third close"]);
  });

  it("throws all that went wrong when several fail", async () => {
    const { observer } = observers(["first", "third"]);
    expect(() => observer.step(step)).toThrow("The first has failed. The third has failed.");
    await expect(observer.close()).rejects.toThrow("The first has failed. The third has failed.");
  });

  it("throws nothing when nothing fails", async () => {
    const { observer } = observers([]);
    observer.step(step);
    await expect(observer.close()).resolves.toBeUndefined();
  });
});
