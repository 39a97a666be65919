import { DataError } from "./data-error.ts";
import type { Random } from "./random.ts";

/**
 * An order in which `tf.data.Dataset.range(n).shuffle(bufferSize)` gives its elements: a buffer is filled with
 * the first `bufferSize`; each time a random one of it comes out and the next element takes its place; in the end
 * the buffer is drained. Element k comes at position k − bufferSize + 1 or later; a buffer of n or more shuffles
 * fully, one of 1 not at all.
 * @throws DataError for a buffer of less than one element.
 */
export function streamingShuffle(n: number, bufferSize: number, random: Random): number[] {
  if (!Number.isInteger(bufferSize) || bufferSize < 1) {
    throw new DataError(`A shuffle buffer of ${bufferSize} cannot be used: give a whole number from 1 up.`);
  }
  const buffer = Array.from({ length: Math.min(bufferSize, n) }, (_, i) => i);
  let next = buffer.length;
  return Array.from({ length: n }, () => {
    const place = random.integer(0, buffer.length - 1);
    const element = buffer[place];
    if (next < n) buffer[place] = next++;
    else {
      const last = buffer.pop()!;
      if (place < buffer.length) buffer[place] = last;
    }
    return element;
  });
}
