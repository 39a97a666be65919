import type { Sample } from "../dataset.ts";
import type { Random } from "../random.ts";

/**
 * An augmentation that is another one each time. What it makes of a sample is a pure function of the sample, the stream of
 * random numbers and the other sample, so that it can be made again, in any thread.
 */
export interface RandomAugmentation {
  /** How often it is applied where it is one of several. */
  readonly probability: number;
  /** Whether it leaves pixels that are of no class ({@link IGNORE}): what it moved in from beyond the photo's borders. */
  readonly leavesIgnored?: true;
  /** Whether it puts parts of another sample in. */
  readonly mixes?: true;
  /** May return the sample it was given, and writes into none. */
  readonly apply: (sample: Sample, random: Random, other: Sample) => Sample | Promise<Sample>;
}

/** A range to draw from: the least and the largest. */
export type Range = readonly [number, number];
