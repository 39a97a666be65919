import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../../src/data/random.ts";
import { streamingShuffle } from "../../src/data/shuffle.ts";

test("gives every element once, and none before its turn to enter the buffer", () => {
  fc.assert(
    fc.property(fc.nat(200), fc.integer({ min: 1, max: 250 }), fc.nat(), (n, bufferSize, seed) => {
      const order = streamingShuffle(n, bufferSize, new Random(seed));
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      order.forEach((element, position) => expect(position).toBeGreaterThanOrEqual(element - bufferSize + 1));
      expect(streamingShuffle(n, bufferSize, new Random(seed))).toEqual(order);
      if (bufferSize === 1) expect(order).toEqual([...order.keys()]);
    }),
  );
  expect(streamingShuffle(5, 1, new Random(0))).toEqual([0, 1, 2, 3, 4]);
  expect(() => streamingShuffle(5, 0, new Random(0))).toThrow("A shuffle buffer of 0");
});

/** How often each order comes in `draws` draws. */
function orders(n: number, bufferSize: number, draws: number): Map<string, number> {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < draws; seed++) {
    const order = streamingShuffle(n, bufferSize, new Random(seed, 7)).join("");
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  return seen;
}

test("a buffer for all makes every order equally likely; a smaller one every order it can give", () => {
  for (const bufferSize of [4, 9]) {
    const seen = orders(4, bufferSize, 4800);
    expect(seen.size).toBe(24);
    for (const times of seen.values()) expect(Math.abs(times - 200)).toBeLessThan(75);
  }
  const seen = orders(3, 2, 1600);
  expect([...seen.keys()].sort()).toEqual(["012", "021", "102", "120"]);
  for (const times of seen.values()) expect(Math.abs(times - 400)).toBeLessThan(90);
});
