/** What gradients can travel between ranks as, the default first. */
export const WIRES = ["f32", "f16"] as const;

/** `f16` halves the bytes; sums are made in f32 (see `mpi/half-sum.ts`). */
export type Wire = (typeof WIRES)[number];
