import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Collectives } from "../../src/mpi/collectives.ts";
import { sumInHalves } from "../../src/mpi/half-sum.ts";
import { inProcessRanks } from "../helpers/in-process-ranks.ts";

/** Sums up what each rank has. */
async function summed(
  all: readonly Float32Array[],
  watch: (ranks: Collectives) => Collectives = (ranks) => ranks,
): Promise<Float32Array[]> {
  const own = all.map((numbers) => numbers.slice());
  await Promise.all(inProcessRanks(all.length).map((ranks, i) => sumInHalves(watch(ranks), "sum", own[i])));
  for (const numbers of own.slice(1))
    expect(new Uint32Array(numbers.buffer)).toEqual(new Uint32Array(own[0].buffer));
  return own;
}

const ROUNDED = 2 ** -11;

/** Terms and sum are rounded once each, but for what is below the smallest normal half. */
function expectSum(sum: Float32Array, all: readonly Float32Array[]): void {
  const largest = all.reduce((most, numbers) => numbers.reduce((m, x) => Math.max(m, Math.abs(x)), most), 0);
  const least = (all.length + 1) * largest * all.length * 2 ** -39;
  sum.forEach((value, i) => {
    const exact = all.reduce((total, numbers) => total + numbers[i], 0);
    const terms = all.reduce((total, numbers) => total + Math.abs(numbers[i]), 0);
    const bound = 1.001 * ROUNDED * (terms + Math.abs(exact)) + least;
    if (!(Math.abs(value - exact) <= bound)) throw new Error(`${i}: ${value} and not ${exact}, by ${bound}`);
  });
}

const noise = (length: number, seed: number, size = 1): Float32Array =>
  Float32Array.from(
    { length },
    (_, i) => size * Math.sin(i * 12.9898 + seed * 78.233) * 2 ** -((i * 7) % 30),
  );

describe("sumInHalves", () => {
  it.each([1, 2, 3, 7])("gives the sum of %i ranks to rounding, the same bits on all", async (size) => {
    for (const length of [0, 1, 5, 1000]) {
      const all = Array.from({ length: size }, (_, rank) => noise(length, rank));
      const [sum] = await summed(all);
      expectSum(sum, all);
    }
  });

  it("neither overflows nor loses what is small, whatever the size of the numbers (any numbers)", async () => {
    const numbers = fc.float32Array({ minLength: 9, maxLength: 9, noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(
        numbers,
        numbers,
        numbers,
        fc.integer({ min: -120, max: 90 }),
        async (a, b, c, power) => {
          const all = [a, b, c].map((own) => own.map((x) => (Math.abs(x) > 2 ** 126 ? 1 : x)));
          expectSum((await summed(all))[0], all);
          const small = all.map((own) => own.map((_, i) => Math.sin(i + own[i]) * 2 ** power));
          expectSum((await summed(small))[0], small);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("tells all ranks of what is not finite, and does not spoil the rest", async () => {
    const all = [0, 1, 2].map((rank) => noise(30, rank));
    all[0][3] = Infinity;
    all[1][4] = NaN;
    [all[0][5], all[2][5]] = [Infinity, -Infinity];
    all[2][6] = -Infinity;
    const [sum] = await summed(all);
    expect([...sum.subarray(3, 7)]).toEqual([Infinity, NaN, NaN, -Infinity]);
    for (const numbers of all) numbers.fill(0, 3, 7);
    sum.fill(0, 3, 7);
    expectSum(sum, all);
    const nothing = [new Float32Array(5).fill(Infinity), new Float32Array(5)];
    expect([...(await summed(nothing))[0]]).toEqual(Array(5).fill(Infinity));
    expect([...(await summed([new Float32Array(3), new Float32Array(3)]))[0]]).toEqual([0, 0, 0]);
  });

  it("sends half the bytes of a reduce-scatter and an all-gather of f32", async () => {
    const [size, length] = [4, 1000];
    let bytes = 0;
    const toOthers = (lengths: readonly number[], rank: number): number =>
      lengths.reduce((sum, each) => sum + each, 0) - lengths[rank];
    await summed(
      Array.from({ length: size }, (_, rank) => noise(length, rank)),
      (ranks) => ({
        ...ranks,
        allToAll(what, sent, lengths, received) {
          bytes += toOthers(lengths, ranks.rank);
          return ranks.allToAll(what, sent, lengths, received);
        },
        gatherParts(what, filled, lengths) {
          // Its own part, to each of the others.
          bytes += (size - 1) * lengths[ranks.rank];
          return ranks.gatherParts(what, filled, lengths);
        },
      }),
    );
    const inF32 = size * ((2 * (size - 1)) / size) * length * 4;
    expect(bytes).toBe(inF32 / 2);
  });
});
