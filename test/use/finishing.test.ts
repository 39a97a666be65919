import { setImmediate } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { Finishing } from "../../src/use/finishing.ts";
import type { FinishingOptions, SeenPhoto } from "../../src/use/finishing.ts";
import type { OutputThreads } from "../../src/use/output-threads.ts";
import type { Outputs, OutputsJob } from "../../src/use/outputs.ts";
import { StageClock } from "../../src/use/stage-clock.ts";

const seen = (stem: string): SeenPhoto => ({
  from: { photo: stem, stem, read: () => Promise.reject(new Error("It was read again.")) },
  photo: { width: 1, height: 1, pixels: new Uint8Array(3) },
  job: { report: { photo: stem } } as OutputsJob,
});

const outputs = (photo: string): Outputs => ({
  files: [
    ["mask", Buffer.from(photo)],
    ["shares", Buffer.from("{}")],
  ],
  shares: [],
  areas: null,
});

/** Threads whose jobs end when they are let. */
class Threads {
  readonly count = 2;
  readonly begun: string[] = [];
  readonly #jobs = new Map<string, (outcome: Error | null) => void>();

  make({ report: { photo } }: OutputsJob): Promise<Outputs> {
    this.begun.push(photo);
    return new Promise((resolve, reject) =>
      this.#jobs.set(photo, (error) => (error ? reject(error) : resolve(outputs(photo)))),
    );
  }

  let(photo: string, error: Error | null = null): void {
    this.#jobs.get(photo)!(error);
  }
}

interface Stage {
  readonly finishing: Finishing;
  readonly threads: Threads;
  /** What happened, in order. */
  readonly log: string[];
  readonly abort: AbortController;
}

function stage(options: Partial<FinishingOptions> = {}): Stage {
  const threads = new Threads();
  const log: string[] = [];
  const abort = new AbortController();
  const finishing = new Finishing({
    threads: threads as unknown as OutputThreads,
    sink: {
      put: (name) => Promise.resolve(void log.push(`put ${name}`)),
      remove: (name) => Promise.resolve(void log.push(`remove ${name}`)),
    },
    ...{ encoding: new StageClock(), writing: new StageClock(), signal: abort.signal },
    onMade: () => undefined,
    onWritten: ({ from }) => void log.push(`done ${from.stem}`),
    onFailure: ({ from }, error) => void log.push(`bad ${from.stem}: ${String(error)}`),
    onEnded: (error) => void log.push(`ended ${String(error)}`),
    ...options,
  });
  return { finishing, threads, log, abort };
}

const quiet = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await setImmediate();
};
const files = (stem: string): string[] => [
  ...[`remove ${stem}.json`, `put ${stem}.mask.png`, `put ${stem}.json`, `done ${stem}`],
];

describe("Finishing", () => {
  it("makes as many photos at a time as there are threads, and writes them in their order", async () => {
    const { finishing, threads, log } = stage();
    for (const stem of ["a", "b", "c"]) finishing.add(seen(stem));
    finishing.tell(() => void log.push("said d"));
    await quiet();
    expect(threads.begun).toEqual(["a", "b"]);
    threads.let("b");
    await vi.waitFor(() => expect(threads.begun).toEqual(["a", "b", "c"]));
    threads.let("c");
    await quiet();
    expect(log).toEqual([]);
    threads.let("a");
    await finishing.end();
    expect(log).toEqual([...files("a"), ...files("b"), ...files("c"), "said d"]);
  });

  it("has room while no more photos are in hand than threads", async () => {
    const { finishing, threads } = stage();
    for (const stem of ["a", "b"]) finishing.add(seen(stem));
    await finishing.room();
    finishing.add(seen("c"));
    let isRoom = false;
    const room = finishing.room().then(() => (isRoom = true));
    await quiet();
    expect(isRoom).toBe(false);
    threads.let("a");
    await room;
    // Where photos are large, until there are none.
    const empty = finishing.room(0).then(() => "empty");
    threads.let("b");
    expect(await Promise.race([empty, quiet()])).toBeUndefined();
    threads.let("c");
    expect(await empty).toBe("empty");
  });

  it("goes on after a photo's own failure, told of in its turn", async () => {
    const { finishing, threads, log } = stage();
    for (const stem of ["a", "b"]) finishing.add(seen(stem));
    threads.let("b", new Error("too large"));
    await quiet();
    expect(log).toEqual([]);
    threads.let("a");
    await finishing.end();
    expect(log).toEqual([...files("a"), "bad b: Error: too large"]);
  });

  it("ends with what telling of a failure throws: nothing behind it is written, and there is room for nobody to wait", async () => {
    const full = new Error("The disk is full.");
    const { finishing, threads, log } = stage({
      onFailure: (_, error) => {
        throw error as Error;
      },
    });
    for (const stem of ["a", "b", "c", "d"]) finishing.add(seen(stem));
    threads.let("b");
    threads.let("a", full);
    await finishing.room();
    expect(log[0]).toBe("ended Error: The disk is full.");
    expect(log.filter((line) => line.startsWith("done"))).toEqual([]);
    // What threads have in hand is waited for.
    for (const stem of threads.begun.slice(2)) threads.let(stem);
    await expect(finishing.end()).rejects.toBe(full);
    await finishing.abandon();
    expect(log.filter((line) => line.includes("put"))).toEqual([]);
  });

  it("finishes what is being written when it is interrupted, and leaves out the rest", async () => {
    const abort = new AbortController();
    const put: string[] = [];
    const done: string[] = [];
    const { finishing, threads } = stage({
      signal: abort.signal,
      sink: {
        put: async (name) => {
          if (name === "a.mask.png") abort.abort(new Error("Interrupted."));
          await setImmediate();
          put.push(name);
        },
        remove: () => Promise.resolve(),
      },
      onWritten: ({ from }) => void done.push(from.stem),
    });
    for (const stem of ["a", "b"]) finishing.add(seen(stem));
    threads.let("a");
    threads.let("b");
    await expect(finishing.end()).rejects.toThrow("Interrupted.");
    await finishing.abandon();
    expect(put).toEqual(["a.mask.png", "a.json"]);
    expect(done).toEqual(["a"]);
  });

  it("writes several photos at a time where the sink takes them, and tells of them in order", async () => {
    const done: string[] = [];
    const begun: string[] = [];
    const waiting = new Map<string, () => void>();
    const { finishing, threads } = stage({
      sink: {
        photosAtOnce: 2,
        put: () => Promise.resolve(),
        remove: (name) => {
          begun.push(name);
          return new Promise((resolve) => waiting.set(name, resolve));
        },
      },
      onWritten: ({ from }) => void done.push(from.stem),
    });
    for (const stem of ["a", "b", "c"]) finishing.add(seen(stem));
    threads.let("a");
    threads.let("b");
    await vi.waitFor(() => expect(threads.begun).toContain("c"));
    threads.let("c");
    await quiet();
    expect(begun).toEqual(["a.json", "b.json"]);
    waiting.get("b.json")!();
    await quiet();
    expect(done).toEqual([]);
    waiting.get("a.json")!();
    await vi.waitFor(() => expect(begun).toContain("c.json"));
    expect(done).toEqual(["a", "b"]);
    waiting.get("c.json")!();
    await finishing.end();
    expect(done).toEqual(["a", "b", "c"]);
  });
});
