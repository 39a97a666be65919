import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";

/**
 * An axis counted from the first, of one that is negative where it is counted from the last; of a tensor that has so many axes more than `x`.
 *
 * @throws Error when there is no such axis.
 */
export function axisOf(op: string, { name, shape }: Tensor, axis: number, more = 0): number {
  const rank = shape.length + more;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const range = rank === 0 ? "it has none" : `name one from ${-rank} to ${rank - 1}`;
    throw new Error(`${op}: "${name}" ${shapeText(shape)} has no axis ${axis}: ${range}.`);
  }
  return axis < 0 ? axis + rank : axis;
}
