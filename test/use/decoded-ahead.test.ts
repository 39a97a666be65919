import { setImmediate } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DataError } from "../../src/data/data-error.ts";
import { DecodedAhead } from "../../src/use/decoded-ahead.ts";
import type { PhotoToLabel } from "../../src/use/photo-to-label.ts";
import { StageClock } from "../../src/use/stage-clock.ts";
import { photo } from "../data/folder.ts";

const BATCH = 3;
/** Of a decoded photo. */
const BYTES = 8 * 5 * 3;

/** Photos 0, 1, 2 .. that note when they are read. */
async function photos(
  count: number,
  read: (i: number) => Promise<void> = () => Promise.resolve(),
): Promise<{ all: PhotoToLabel[]; begun: number[] }> {
  const png = await photo(8, 5).png().toBuffer();
  const begun: number[] = [];
  const all = Array.from({ length: count }, (_, i) => ({
    ...{ photo: `${i}.png`, stem: String(i) },
    read: async () => {
      begun.push(i);
      await read(i);
      return png;
    },
  }));
  return { all, begun };
}

function ahead(
  from: Iterable<PhotoToLabel> | AsyncIterable<PhotoToLabel>,
  options: { mostBytes?: number; signal?: AbortSignal } = {},
): DecodedAhead {
  const signal = new AbortController().signal;
  const decoded = new DecodedAhead(from, { batch: BATCH, clock: new StageClock(), signal, ...options });
  onTestFinished(() => decoded.end());
  return decoded;
}

const quiet = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await setImmediate();
};

describe("DecodedAhead", () => {
  it("decodes two batches ahead, whatever the first takes, and gives photos in their order", async () => {
    let goOn = (): void => undefined;
    const slow = new Promise<void>((resolve) => (goOn = resolve));
    const { all, begun } = await photos(20, (i) => (i === 0 ? slow : Promise.resolve()));
    const decoded = ahead(all);
    const first = decoded.next();
    await vi.waitFor(() => expect(begun).toHaveLength(1 + 2 * BATCH));
    await quiet();
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
    goOn();
    expect((await first)?.from.stem).toBe("0");
    for (let i = 1; i < 20; i++) expect((await decoded.next())?.from.stem).toBe(String(i));
    expect(await decoded.next()).toBeUndefined();
  });

  it("decodes no more than a batch where photos take more memory than there is for them", async () => {
    const { all, begun } = await photos(20);
    const decoded = ahead(all, { mostBytes: 4 * BYTES });
    const held = [];
    for (let i = 0; i < BATCH; i++) held.push(await decoded.next());
    await quiet();
    // The next batch, and no more while this one is held.
    expect(begun).toHaveLength(2 * BATCH);
    await vi.waitFor(() => expect(decoded.isTight).toBe(true));
    for (const one of held) if (one && "photo" in one) decoded.release(one.photo);
    expect(decoded.isTight).toBe(false);
    await vi.waitFor(() => expect(begun.length).toBe(2 * BATCH + 1));
    await quiet();
    expect(begun).toHaveLength(2 * BATCH + 1);
  });

  it("gives a sentence for a photo that cannot be read, and fails with what is no fault of a photo", async () => {
    const { all } = await photos(3, (i) => {
      if (i === 1) return Promise.reject(new DataError("The server has no 1.png."));
      return i === 2 ? Promise.reject(new TypeError("a bug")) : Promise.resolve();
    });
    const decoded = ahead(all);
    expect(await decoded.next()).toMatchObject({ photo: { width: 8, height: 5 } });
    expect(await decoded.next()).toEqual({ from: all[1], sentence: "The server has no 1.png." });
    await expect(decoded.next()).rejects.toThrow("a bug");
  });

  it("ends the iteration it was given when it is ended before, and only then", async () => {
    let ended = 0;
    async function* endless(from: PhotoToLabel): AsyncGenerator<PhotoToLabel> {
      try {
        for (;;) yield await Promise.resolve(from);
      } finally {
        ended += 1;
      }
    }
    const { all } = await photos(1);
    const decoded = ahead(endless(all[0]));
    await decoded.next();
    await decoded.end();
    expect(ended).toBe(1);
    expect(await decoded.next()).toBeUndefined();
  });

  it("tells of the signal", async () => {
    const { all } = await photos(5);
    const controller = new AbortController();
    const decoded = ahead(all, { signal: controller.signal });
    await decoded.next();
    controller.abort(new Error("Interrupted."));
    await expect(decoded.next()).rejects.toThrow("Interrupted.");
  });
});
