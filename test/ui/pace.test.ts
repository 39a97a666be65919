import { describe, expect, it } from "vitest";
import { PaceMeter } from "../../src/ui/pace.ts";

describe("PaceMeter", () => {
  const run = { epochs: 4, stepsPerEpoch: 10 };

  it("knows nothing before the first step, and no speed before the second", () => {
    const meter = new PaceMeter(run);
    expect(meter.read()).toEqual({ stepsPerSecond: null, secondsLeft: null, waiting: null });
    meter.step({ globalStep: 1, at: 5, waited: null });
    expect(meter.read().stepsPerSecond).toBeNull();
  });

  it("counts by steps in the first epoch, and by whole epochs then", () => {
    const meter = new PaceMeter(run);
    meter.step({ globalStep: 1, at: 5, waited: 0 });
    meter.step({ globalStep: 3, at: 6, waited: 0.25 });
    expect(meter.read()).toEqual({ stepsPerSecond: 2, secondsLeft: 18.5, waiting: 0.25 });
    meter.epoch(20);
    meter.step({ globalStep: 11, at: 30, waited: 0.25 });
    expect(meter.read({ stepsPerSecond: 2, secondsLeft: 18.5, waiting: 0.25 })).toEqual({
      stepsPerSecond: 2,
      secondsLeft: 58,
      waiting: 0.25,
    });
    meter.phase();
    meter.step({ globalStep: 21, at: 60, waited: null });
    meter.step({ globalStep: 22, at: 61, waited: null });
    expect(meter.read()).toMatchObject({ stepsPerSecond: 1, secondsLeft: 18 });
  });
});
