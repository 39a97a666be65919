/** Seconds that a rank has spent with the others. */
export interface RankTimes {
  /** In all collectives. */
  readonly waited: number;
  /** From when it had gradients of its own until it had those of all. */
  readonly exchanged: number;
  /** Of {@link exchanged}: what passed while its backward pass went on. */
  readonly overlapped: number;
}
