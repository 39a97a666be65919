/** How many pixels of all masks each of 256 classes has. */
export function countClasses(masks: readonly Uint8Array[]): Float64Array {
  const counts = new Float64Array(256);
  for (const mask of masks) {
    // Counted in runs, for neighbours are mostly of one class.
    for (let begin = 0, end = 0; begin < mask.length; begin = end) {
      const label = mask[begin];
      do end++;
      while (end < mask.length && mask[end] === label);
      counts[label] += end - begin;
    }
  }
  return counts;
}
