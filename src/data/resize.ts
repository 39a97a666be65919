import { sameSize } from "../image-size.ts";
import type { Size } from "../image-size.ts";

export type { Size } from "../image-size.ts";

/**
 * `tf.image.resize(image, size, "bilinear")` (half-pixel centres, no antialiasing, edges clamped), then
 * multiplied by `scale`. Sampling positions are rounded to float32 as TensorFlow's kernel does.
 * @param source `[height, width, channels]`, values as stored.
 * @returns `[size.height, size.width, channels]`
 */
export function resizeBilinear(
  source: ArrayLike<number>,
  from: Size,
  channels: number,
  to: Size,
  scale = 1,
): Float32Array<ArrayBuffer> {
  const columns = taps(from.width, to.width);
  const rows = taps(from.height, to.height);
  const result = new Float32Array(to.height * to.width * channels);
  let out = 0;
  for (const row of rows) {
    const upper = row.low * from.width;
    const lower = row.high * from.width;
    for (const column of columns) {
      const topLeft = (upper + column.low) * channels;
      const topRight = (upper + column.high) * channels;
      const bottomLeft = (lower + column.low) * channels;
      const bottomRight = (lower + column.high) * channels;
      for (let c = 0; c < channels; c++) {
        const top = source[topLeft + c] + (source[topRight + c] - source[topLeft + c]) * column.weight;
        const bottom =
          source[bottomLeft + c] + (source[bottomRight + c] - source[bottomLeft + c]) * column.weight;
        result[out++] = (top + (bottom - top) * row.weight) * scale;
      }
    }
  }
  return result;
}

/**
 * `tf.image.resize(mask, size, "nearest")`: output i takes input `floor((i + 0.5) · from / to)`, so every
 * value of the result is a value of the source.
 * @param source `[height, width]`
 * @returns `[size.height, size.width]`
 */
export function resizeNearest(source: Uint8Array, from: Size, to: Size): Uint8Array<ArrayBuffer> {
  if (sameSize(from, to)) return new Uint8Array(source.subarray(0, to.height * to.width));
  const columns = nearest(from.width, to.width);
  const rows = nearest(from.height, to.height);
  const result = new Uint8Array(to.height * to.width);
  const { width, height } = to;
  let out = 0;
  for (let y = 0; y < height; y++) {
    const line = source.subarray(rows[y] * from.width, (rows[y] + 1) * from.width);
    for (let x = 0; x < width; x++) result[out++] = line[columns[x]];
  }
  return result;
}

const f32 = Math.fround;

/** The two inputs between which each output lies, and the second one's weight. */
function taps(from: number, to: number): { low: number; high: number; weight: number }[] {
  const ratio = f32(from / to);
  return Array.from({ length: to }, (_, i) => {
    const position = f32(f32((i + 0.5) * ratio) - 0.5);
    const floor = Math.floor(position);
    return {
      low: Math.max(floor, 0),
      high: Math.min(Math.max(Math.ceil(position), 0), from - 1),
      weight: position - floor,
    };
  });
}

function nearest(from: number, to: number): Uint32Array {
  const ratio = f32(from / to);
  return Uint32Array.from({ length: to }, (_, i) => Math.min(Math.floor(f32((i + 0.5) * ratio)), from - 1));
}
