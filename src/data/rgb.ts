/** Pixels without their alpha: the first three of `channels` values each, or `values` itself where there are no others. */
export function rgbOf(values: Float32Array<ArrayBuffer>, channels: 3 | 4): Float32Array<ArrayBuffer> {
  if (channels === 3) return values;
  const pixels = values.length / channels;
  const rgb = new Float32Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < 3; c++) rgb[3 * pixel + c] = values[channels * pixel + c];
  }
  return rgb;
}
