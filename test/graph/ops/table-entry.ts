/** @file What the table of ops says of each; see table.ts. */
import type * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "../../../src/graph/graph.ts";
import type { Shape } from "../../../src/graph/shape.ts";

/** Numbers of a shape, in double precision. */
export interface Values {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Between which numbers an input is drawn, or from how many whole ones around 0, or that it is u32, below so many. */
export type Domain =
  readonly [low: number, high: number] | { readonly levels: number } | { readonly below: number };

export interface TableEntry {
  readonly name: string;
  readonly build: (...inputs: Tensor[]) => Tensor;
  /** Of each input. */
  readonly domains: readonly Domain[];
  /** Of the inputs, each set a case. */
  readonly shapes: readonly (readonly Shape[])[];
  readonly reference: (...inputs: Values[]) => Values;
  /** Whether the gradient takes all inputs for constants. */
  readonly constant?: boolean;
  readonly theirs?: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** What the benchmark runs it with; images for each input by default. */
  readonly bench?: readonly Shape[];
}
