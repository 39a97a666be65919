/** @file What an op is made of, for those who write one; `graph-types.ts` says what each type is. */
import type { BatchRange, BatchSlice, Lowering, Tensor, Together } from "./graph-types.ts";

export type {
  BatchRange,
  BatchSlice,
  Formula,
  JoinedPart,
  Lowering,
  NumberFunction,
  Op,
  OpFamily,
  Operand,
  Rewriting,
  Scratch,
  Sliceable,
  Summed,
  Together,
} from "./graph-types.ts";

/** One item of those that `lower`, which must be the same function for all of them, runs together. */
export const together = <Item>(
  item: Item,
  lower: (lowering: Lowering, items: readonly Item[]) => void,
): Together => ({ item, lower: lower as Together["lower"] });

/** `tensor`'s part for one of {@link Lowering.slices}. */
export const batchSlice = (tensor: Tensor, range: BatchRange): BatchSlice => ({ tensor, range });
