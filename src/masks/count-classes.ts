/** How many pixels of all masks each of 256 classes has. */
export function countClasses(masks: readonly Uint8Array[]): Float64Array {
  const counts = new Float64Array(256);
  for (const mask of masks) for (let pixel = 0; pixel < mask.length; pixel++) counts[mask[pixel]]++;
  return counts;
}
