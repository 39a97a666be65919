import { afterEach, describe, expect, it, vi } from "vitest";
import { timeHost } from "../../bench/step/host-clock.ts";

/** Milliseconds on a clock of this test's own. */
let now = 0;
afterEach(() => vi.restoreAllMocks());

describe("the host's time", () => {
  it("is that of the call until it returns its promise, uploads apart", async () => {
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const written: unknown[] = [];
    class Queue {
      writeBuffer(...all: unknown[]): void {
        now += 20;
        written.push(all);
      }
    }
    const device = { queue: new Queue() };
    const [time, running] = timeHost(device as unknown as GPUDevice, async () => {
      device.queue.writeBuffer("buffer", 0, 1);
      now += 10;
      await Promise.resolve();
      now += 200;
      return "done";
    });
    expect(await running).toBe("done");
    expect(written).toEqual([["buffer", 0, 1]]);
    expect(time).toEqual({ upload: 20, encode: 10 });
    expect(Object.hasOwn(device.queue, "writeBuffer")).toBe(false);
  });
});
