/** @file What a case of the benchmark is: one piece of work, for us and for tfjs, and what it would take at best. */
import type * as tf from "@tensorflow/tfjs-core";
import type { Node } from "../src/graph/graph.ts";
import type { Goals } from "../src/graph/plan.ts";

/** The groups that have a mean of their own. */
export const DIRECTIONS = ["forward", "backward", "update"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** A case in our graph. */
export interface GraphWork {
  readonly goals: Goals;
  /** Whether several ops run as one where they can, as by default. */
  readonly fuse?: boolean;
  /** Numbers of the inputs by name; only those that the program has are asked for. */
  readonly feeds: Readonly<Record<string, () => Float32Array | Uint32Array>>;
  /** Which nodes belong to the case; the others only make what it needs, once. */
  readonly timed: (node: Node) => boolean;
}

/** A case in tfjs. */
export interface TfjsWork {
  /** Runs it once. The results are in the order of {@link GraphWork}'s outputs; the caller disposes them. */
  run(): tf.Tensor[];
  dispose(): void;
}

export interface BenchCase {
  readonly name: string;
  /** Of the tensor that it is about, e.g. `[2, 16, 16, 160]`. */
  readonly shape: string;
  readonly direction: Direction;
  /** Of the product it computes, a multiply-add being two; null for what is not a product. */
  readonly flops: number | null;
  /** What any implementation must move: every input and every result once. */
  readonly bytes: number;
  /** Whether both sides begin with the same numbers, so that their results can be compared. */
  readonly comparable: boolean;
  ours(): GraphWork;
  theirs(): TfjsWork;
}
