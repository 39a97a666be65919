/** @file Cases of one differentiable op: its forward pass, and gradients by some of its inputs. */
import * as tf from "@tensorflow/tfjs-core";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { ones, zeros } from "../../src/graph/initializers.ts";
import { shapeText, sizeOf } from "../../src/graph/shape.ts";
import type { Shape } from "../../src/graph/shape.ts";
import type { BenchCase, GraphWork, TfjsWork } from "../bench-case.ts";
import { classNoise, noise } from "../noise.ts";
import { recordTape } from "../tfjs-tape.ts";
import { gradientsBy } from "./gradients-by.ts";

export interface OpInput {
  readonly shape: Shape;
  readonly positive?: boolean;
  /** Whole numbers from 0, u32, below so many. */
  readonly below?: number;
  /** A variable of the graph instead of an input: what the op changes in place. Zeros, or ones where positive. */
  readonly state?: boolean;
}

/** One row: the op itself without `wrt`, otherwise its gradients by the inputs named there. */
export interface OpRow {
  /** Follows the op's name. */
  readonly what: string;
  readonly wrt?: readonly string[];
  readonly flops?: number;
  /** Shapes of all that must be read or written. */
  readonly moves: readonly Shape[];
}

/** A tensor that passes for one of each rank. */
export type AnyRank = tf.Tensor4D & tf.Tensor1D;

export interface DifferentiableOp<Name extends string = string> {
  readonly name: string;
  /** Shown in the table: the tensor that it is about. */
  readonly shape: Shape;
  readonly inputs: Readonly<Record<Name, OpInput>>;
  ours(inputs: Readonly<Record<Name, Tensor>>): Tensor;
  /** An input may be of any rank, whatever tfjs's types would like to know. */
  theirs(inputs: Readonly<Record<Name, AnyRank>>): tf.Tensor;
  readonly rows: readonly OpRow[];
}

/** A case for each row of `op`. */
export function opCases<Name extends string>(op: DifferentiableOp<Name>): BenchCase[] {
  return op.rows.map(({ what, wrt, flops, moves }) => ({
    name: `${op.name} ${what}`,
    shape: shapeText(op.shape),
    direction: wrt ? "backward" : "forward",
    flops: flops ?? null,
    bytes: bytesMoved(moves),
    comparable: true,
    ours: () => graphWork(op, wrt),
    theirs: () => tfjsWork(op, wrt),
  }));
}

/** Bytes of tensors of these shapes, 4 an element. */
export const bytesMoved = (shapes: readonly Shape[]): number =>
  4 * shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);

function graphWork<Name extends string>(op: DifferentiableOp<Name>, wrt?: readonly string[]): GraphWork {
  const graph = new Graph();
  const inputs = mapInputs(op, (name, { shape, state, positive, below }): Tensor =>
    state
      ? graph.state(name, shape, positive ? ones : zeros)
      : graph.input(name, shape, below === undefined ? "f32" : "u32"),
  );
  const y = op.ours(inputs);
  const feeds = mapInputs(op, (name, input) => () => valuesOf(name, input)) as Record<
    string,
    () => Float32Array | Uint32Array
  >;
  if (!wrt) return { goals: { outputs: { y } }, feeds, timed: () => true };

  const backward = graph.nodes.length;
  const dy = graph.input("dy", y.shape);
  const by = wrt.map((name) => inputs[name as Name]);
  const found = gradientsBy(y, dy, by).map(([, gradient], i) => [wrt[i], gradient] as const);
  return {
    goals: { outputs: Object.fromEntries(found) },
    feeds: { ...feeds, dy: () => noise("dy", sizeOf(y.shape)) },
    timed: ({ index }) => index >= backward,
  };
}

function tfjsWork<Name extends string>(op: DifferentiableOp<Name>, wrt?: readonly string[]): TfjsWork {
  const inputs = mapInputs(op, (name, input) => {
    const values = valuesOf(name, input);
    const own = values instanceof Uint32Array ? Int32Array.from(values) : values;
    return tf.tensor(own, [...input.shape]) as AnyRank;
  });
  const all = Object.values<tf.Tensor>(inputs);
  if (!wrt) return { run: () => [tf.tidy(() => op.theirs(inputs))], dispose: () => tf.dispose(all) };

  const tape = recordTape(() => op.theirs(inputs));
  const dy = tf.tensor(noise("dy", sizeOf(tape.shape)), tape.shape);
  return {
    run: () =>
      tape.backward(
        dy,
        wrt.map((name) => inputs[name as Name]),
      ),
    dispose() {
      tape.dispose();
      tf.dispose([...all, dy]);
    },
  };
}

function mapInputs<Name extends string, T>(
  { inputs }: DifferentiableOp<Name>,
  make: (name: string, input: OpInput) => T,
): Record<Name, T> {
  const entries = Object.entries<OpInput>(inputs).map(([name, input]) => [name, make(name, input)]);
  return Object.fromEntries(entries) as Record<Name, T>;
}

function valuesOf(name: string, { shape, positive, state, below }: OpInput): Float32Array | Uint32Array {
  const size = sizeOf(shape);
  if (below !== undefined) return classNoise(size, below);
  return state ? new Float32Array(size).fill(positive ? 1 : 0) : noise(name, size, { positive });
}
