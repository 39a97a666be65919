/** The outline of a polygon: `x0, y0, x1, y1, …` in pixels from the top left corner, the last point joined to the first. */
export type Outline = ArrayLike<number>;

/** What shapes are painted on: `pixels` is `[height, width]`. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Paints the pixels `from` to `to`, both included, of a row; what lies outside is left out. */
export function paintRow(
  { width, height, pixels }: Canvas,
  y: number,
  from: number,
  to: number,
  value: number,
): void {
  if (y < 0 || y >= height) return;
  const [first, last] = [Math.max(0, from), Math.min(width - 1, to)];
  if (first <= last) pixels.fill(value, y * width + first, y * width + last + 1);
}
