/**
 * @file What an all-reduce takes, by the α–β–γ model: Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in
 * MPICH" (2005), section 4.4 for recursive doubling and Rabenseifner's algorithm; the ring sends as much as the latter, in more steps.
 */

/** A network between ranks. */
export interface Link {
  readonly name: string;
  /** Seconds that a message takes, whatever its length: α. */
  readonly latency: number;
  /** Seconds a byte: β. */
  readonly perByte: number;
  /** Seconds that summing up two numbers takes, a byte of them: γ. */
  readonly perSum: number;
}

export type AllReduce = "recursive doubling" | "Rabenseifner" | "ring";

/** Seconds of an all-reduce of `bytes` between `ranks`, by each algorithm. */
export function allReduceSeconds(
  { latency, perByte, perSum }: Link,
  ranks: number,
  bytes: number,
): Record<AllReduce, number> {
  if (ranks === 1) return { "recursive doubling": 0, Rabenseifner: 0, ring: 0 };
  const whole = latency + bytes * (perByte + perSum);
  const share = ((ranks - 1) / ranks) * bytes;
  const moved = 2 * share * perByte + share * perSum;
  const rounds = Math.floor(Math.log2(ranks));
  // Ranks beyond a power of two give theirs to another one first, and get the sum of it last.
  const beyond = 2 ** rounds === ranks ? 0 : whole + latency + bytes * perByte;
  return {
    "recursive doubling": rounds * whole + beyond,
    Rabenseifner: 2 * rounds * latency + moved + beyond,
    ring: 2 * (ranks - 1) * latency + moved,
  };
}

/** The quickest of them, as an MPI chooses by size. */
export const quickest = (link: Link, ranks: number, bytes: number): number =>
  Math.min(...Object.values(allReduceSeconds(link, ranks, bytes)));

/** Gradients that are summed up together: how many, and how long before the last ones of a step they are there. */
export interface Bucket {
  readonly bytes: number;
  /** Seconds. */
  readonly before: number;
}

/**
 * Seconds by which all-reduces lengthen a step. They go one after the other, each from when its gradients are there.
 *
 * @param overlap whether they go on beside the backward pass; without, all of them come behind it.
 */
export function exposedSeconds(
  buckets: readonly Bucket[],
  seconds: (bytes: number) => number,
  overlap: boolean,
): number {
  let end = -Infinity;
  for (const { bytes, before } of [...buckets].sort((a, b) => b.before - a.before))
    end = Math.max(end, overlap ? -before : 0) + seconds(bytes);
  return Math.max(end, 0);
}

/** A measured all-reduce between two ranks. */
export interface Measured {
  readonly bytes: number;
  readonly seconds: number;
}

/** A line for short messages and one for long ones: MPI sends them otherwise, and long ones leave the processor's caches. */
export interface FittedLines {
  readonly short: ReturnType<typeof fitLine>;
  readonly long: ReturnType<typeof fitLine>;
}

/** From here on a message is long. */
export const LONG_BYTES = 2 ** 20;

export const fitLines = (measured: readonly Measured[]): FittedLines => ({
  short: fitLine(measured.filter(({ bytes }) => bytes < LONG_BYTES)),
  long: fitLine(measured.filter(({ bytes }) => bytes >= LONG_BYTES)),
});

/** Seconds of an all-reduce by the line for its length. */
export function secondsBy({ short, long }: FittedLines, bytes: number): number {
  const { latency, perByte } = bytes < LONG_BYTES ? short : long;
  return Math.max(0, latency + bytes * perByte);
}

/** `seconds = latency + bytes · perByte`, with the least sum of squared relative errors; and the largest of these errors. */
export function fitLine(measured: readonly Measured[]): {
  readonly latency: number;
  readonly perByte: number;
  readonly worst: number;
} {
  // Least squares of (latency + bytes · perByte) / seconds = 1.
  let [aa, ab, bb, a, b] = [0, 0, 0, 0, 0];
  for (const { bytes, seconds } of measured) {
    const [x, y] = [1 / seconds, bytes / seconds];
    aa += x * x;
    ab += x * y;
    bb += y * y;
    a += x;
    b += y;
  }
  const determinant = aa * bb - ab * ab;
  const latency = (a * bb - b * ab) / determinant;
  const perByte = (b * aa - a * ab) / determinant;
  const errors = measured.map(({ bytes, seconds }) => Math.abs((latency + bytes * perByte) / seconds - 1));
  return { latency, perByte, worst: Math.max(...errors) };
}
