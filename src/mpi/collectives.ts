/** What numbers of several ranks become in an all-reduce. */
export type Reduction = "sum" | "min" | "max";

/** Numbers that are reduced in place. */
export type Reducible = Float32Array | Float64Array | Uint32Array;

/**
 * The ranks that work together, and what they do together. Collectives are called by every rank in the same order; one waits for the
 * one before it, so that they may be called without waiting for each.
 */
export interface Collectives {
  /** This one's, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** What this rank is doing, for what is said when something fails: `step 12`. */
  at: string;
  /** Whether ranks may be minutes late for the next collectives, as while they set up; a rank that is missing ends the run. */
  patient: boolean;
  /** Milliseconds that this rank has spent in collectives. */
  readonly waitedMs: number;
  /**
   * Waits until all ranks have called it, without taking a core meanwhile. In the other collectives MPI waits as busily as it works: where
   * ranks may come at different times, they meet before.
   */
  meet(what: string): Promise<void>;
  /**
   * Replaces `numbers` of each rank, of equal length, by what those of all become, the same on all ranks. Not to be touched meanwhile.
   *
   * @param what for messages: `sum of the gradients`.
   */
  allReduce(what: string, numbers: Reducible, reduction?: Reduction): Promise<void>;
  /** What each rank has to tell, of any length, in the order of the ranks. */
  allGather(what: string, bytes: Uint8Array): Promise<Uint8Array[]>;
  /**
   * Sends each rank a part of `bytes`, and gives what all ranks have sent to this one, one after the other. Not to be touched meanwhile.
   *
   * @param sent bytes of the part for each rank, in their order; together all of `bytes`.
   * @param received bytes of what comes from each.
   */
  allToAll(
    what: string,
    bytes: Uint8Array,
    sent: readonly number[],
    received: readonly number[],
  ): Promise<Uint8Array>;
  /**
   * Fills `bytes`, of which each rank has its own part, with those of the others. Not to be touched meanwhile.
   *
   * @param lengths bytes of the part of each rank, in their order; together all of `bytes`.
   */
  gatherParts(what: string, bytes: Uint8Array, lengths: readonly number[]): Promise<void>;
}
