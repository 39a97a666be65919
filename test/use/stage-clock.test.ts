import { afterEach, expect, test, vi } from "vitest";
import { StageClock } from "../../src/use/stage-clock.ts";

afterEach(() => vi.restoreAllMocks());

test("works while it has anything in hand, and waits otherwise", async () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const clock = new StageClock();
  const ends: (() => void)[] = [];
  const piece = (photos?: number): Promise<void> =>
    clock.time(() => new Promise<void>((resolve) => ends.push(resolve)), photos);

  now = 1000;
  const first = piece();
  now = 2000;
  const second = piece();
  now = 4000;
  ends[0]();
  await first;
  now = 5000;
  ends[1]();
  await second;
  now = 10_000;
  expect(clock.read(10)).toEqual({ worked: 4, waited: 6, inHand: 6 });

  // Of several photos at once, and not ended yet.
  const third = piece(4);
  now = 11_000;
  expect(clock.read(11)).toEqual({ worked: 5, waited: 6, inHand: 10 });
  ends[2]();
  await third;
});

test("has nothing in hand after a failure, which it passes on", async () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const clock = new StageClock();
  await expect(clock.time(() => Promise.reject(new Error("torn")))).rejects.toThrow("torn");
  now = 3000;
  expect(clock.read(3)).toEqual({ worked: 0, waited: 3, inHand: 0 });
});
