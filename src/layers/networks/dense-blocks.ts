import type { Layer, OperationOf } from "./layer.ts";

/** A run of layers that is one dense block of DenseNet's: `<name>_block1` to `<name>_block{layers}`. */
export interface DenseBlockRun {
  readonly name: string;
  readonly layers: number;
  readonly growth: number;
  readonly epsilon: number;
  readonly momentum: number;
  /** The layer that the block reads. */
  readonly input: string;
  /** Its last layer. */
  readonly output: string;
  /** How many layers of the list it takes. */
  readonly length: number;
}

/** What each layer of a dense block is made of; the last is the concatenation. */
const SUFFIXES = ["0_bn", "0_relu", "1_conv", "1_bn", "1_relu", "2_conv", "concat"];

/** The dense block that begins with the layer at `index`; undefined where none does. */
export function denseBlockAt(layers: readonly Layer[], index: number): DenseBlockRun | undefined {
  const first = layers[index];
  const name = /^(.+)_block1_0_bn$/.exec(first.name)?.[1];
  if (name === undefined || first.operation.kind !== "BatchNormalization") return undefined;
  let count = 0;
  const follows = (suffix: string, i: number): boolean =>
    layers[index + count * SUFFIXES.length + i]?.name === `${name}_block${count + 1}_${suffix}`;
  while (SUFFIXES.every(follows)) count++;
  if (count === 0) return undefined;
  const { filters: growth } = layers[index + 5].operation as OperationOf<"Conv2D">;
  const { epsilon, momentum } = first.operation;
  const length = count * SUFFIXES.length;
  const output = layers[index + length - 1].name;
  return { name, layers: count, growth, epsilon, momentum, input: first.inputs[0], output, length };
}
