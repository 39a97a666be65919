import { float16ToFloat32, float32ToFloat16 } from "../half-floats.ts";
import type { Collectives } from "./collectives.ts";

/** The largest that a sum may be in half precision: half of what there is, for rounding. */
const LARGEST = 2 ** 15;

/**
 * Replaces `numbers` of each rank, of equal length, by their sums, the same bits on all ranks, as an all-reduce does; but they travel as
 * f16, half the bytes. Each rank sums up its part of them in f32 and sends the sums to the others: a reduce-scatter and an
 * all-gather.
 *
 * All are multiplied by one power of two, so that the largest sum is at most 2^15. Every term and the sum are rounded once, so an element
 * is off by no more than 2^-11 of the magnitudes of its terms and of its sum together; what is below 2^-28 of the largest
 * number, times the ranks, by more of itself. Where a number of some rank is not finite, neither is the sum.
 *
 * No other collective may be called before it is done.
 *
 * @param what for messages.
 */
export async function sumInHalves(ranks: Collectives, what: string, numbers: Float32Array): Promise<void> {
  const { rank, size } = ranks;
  const factor = await commonFactor(ranks, what, numbers);
  const counts = Array.from(
    { length: size },
    (_, i) => Math.floor((numbers.length * (i + 1)) / size) - Math.floor((numbers.length * i) / size),
  );
  const begin = counts.slice(0, rank).reduce((sum, count) => sum + count, 0);
  const own = numbers.subarray(begin, begin + counts[rank]);
  const sent = counts.map((count) => 2 * count);

  const received = await ranks.allToAll(
    what,
    bytesOf(float32ToFloat16(numbers, factor)),
    sent,
    sent.map(() => 2 * own.length),
  );
  const sums = new Float32Array(own.length);
  const halves = new Uint16Array(received.buffer, received.byteOffset, received.length / 2);
  for (let from = 0; from < size; from++) {
    const part = halves.subarray(from * own.length, (from + 1) * own.length);
    const terms = float16ToFloat32(part);
    for (let i = 0; i < sums.length; i++) sums[i] += terms[i];
  }

  const all = new Uint16Array(numbers.length);
  all.set(float32ToFloat16(sums), begin);
  await ranks.gatherParts(what, bytesOf(all), sent);
  const summed = float16ToFloat32(all);
  for (let i = 0; i < summed.length; i++) numbers[i] = summed[i] / factor;
}

/** The power of two that leaves the largest sum below {@link LARGEST}, whatever the ranks' signs. */
async function commonFactor(ranks: Collectives, what: string, numbers: Float32Array): Promise<number> {
  let largest = 0;
  for (const number of numbers) {
    const magnitude = Math.abs(number);
    if (magnitude > largest && magnitude < Infinity) largest = magnitude;
  }
  const common = Float32Array.of(largest);
  await ranks.allReduce(what, common, "max");
  if (common[0] === 0) return 1;
  return 2 ** Math.floor(Math.log2(LARGEST / ranks.size / common[0]));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
