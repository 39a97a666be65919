/** @file What becomes of a layer's result, by which layers that do the same with the same input are told apart. */
import type { LayerOperation } from "../../layers/networks/layer.ts";

/** A layer of either network. */
export interface Node {
  readonly id: string;
  /** Undefined for what none of our layers does. */
  readonly operation: LayerOperation | undefined;
  readonly inputs: readonly string[];
}

/** For each layer by its id, numbers that say what follows it within 0, 1, 2 … layers. */
export type Signatures = ReadonlyMap<string, readonly number[]>;

/** How many layers are looked ahead: more than a branch of any encoder has before it is joined with another. */
const LOOKAHEAD = 14;

/**
 * Signatures of two networks: equal numbers mean that the same layers follow, which read the result in the same places.
 */
export function signatures(...networks: readonly (readonly Node[])[]): Signatures[] {
  const numbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  };
  return networks.map((nodes) => {
    const readers = readersOf(nodes);
    const levels = new Map(nodes.map(({ id, operation }) => [id, [numberOf(what(operation))]]));
    for (let level = 1; level <= LOOKAHEAD; level++) {
      for (const { id } of nodes) {
        const following = (readers.get(id) ?? []).map(
          ([reader, place]) => `${place}:${levels.get(reader)![level - 1]}`,
        );
        const own = levels.get(id)!;
        own.push(numberOf(`${own[0]}(${following.sort().join()})`));
      }
    }
    return levels;
  });
}

/** Through how many layers after two of them the networks agree. */
export function agreement(a: readonly number[], b: readonly number[]): number {
  const first = a.findIndex((number, level) => number !== b[level]);
  return first === -1 ? a.length : first;
}

function readersOf(nodes: readonly Node[]): Map<string, [reader: string, place: number][]> {
  const readers = new Map<string, [string, number][]>();
  for (const { id, inputs } of nodes) {
    for (const [place, input] of inputs.entries()) {
      const those = readers.get(input);
      if (those === undefined) readers.set(input, [[id, place]]);
      else those.push([id, place]);
    }
  }
  return readers;
}

/** What a layer does, as far as it is the same for photos of any size and for any number of classes. */
function what(operation: LayerOperation | undefined): string {
  switch (operation?.kind) {
    case undefined:
      return "";
    case "Conv2D":
    case "Conv2DTranspose":
    case "SeparableConv2D": {
      const { kind, filters, kernelSize, strides } = operation;
      return [kind, filters, ...kernelSize, strides].join();
    }
    case "DepthwiseConv2D":
      return [operation.kind, ...operation.kernelSize, operation.strides].join();
    case "Activation":
      return [operation.kind, operation.activation].join();
    case "MaxPooling2D":
    case "AveragePooling2D":
      return [operation.kind, operation.poolSize, operation.strides].join();
    default:
      return operation!.kind;
  }
}
