import { paintRow } from "./canvas.ts";
import type { Canvas, Outline } from "./canvas.ts";

/** Positions within a row are kept in 65,536ths of a pixel. */
const ONE = 1 << 16;

/**
 * Paints a polygon as OpenCV's `fillPoly` does, with which Ultralytics makes the masks of YOLO labels: the points are cut to
 * whole numbers, pixels whose middle is inside (even and odd in turns) or on the outline are filled, and the outline itself
 * is drawn as Bresenham's lines.
 *
 * @param outline at least three points
 */
export function paintOpenCvPolygon(canvas: Canvas, outline: Outline, value: number): void {
  const count = outline.length / 2;
  const points = Array.from({ length: count }, (_, i) => ({
    x: Math.trunc(outline[2 * i]),
    y: Math.trunc(outline[2 * i + 1]),
  }));
  const sides = points.map((a, i) => {
    const b = points[(i + 1) % count];
    const visible = clip(canvas, a, b);
    if (visible !== null) paintLine(canvas, ...visible, value);
    const [upper, lower] = a.y < b.y ? [a, b] : [b, a];
    return {
      top: upper.y,
      bottom: lower.y,
      x: upper.x * ONE,
      slope: Math.trunc(((lower.x - upper.x) * ONE) / (lower.y - upper.y)),
    };
  });
  const slanted = sides.filter(({ top, bottom }) => top < bottom);
  const top = Math.max(0, Math.min(...slanted.map((side) => side.top)));
  const bottom = Math.min(canvas.height, Math.max(...slanted.map((side) => side.bottom)));
  for (let y = top; y < bottom; y++) {
    const ends = slanted
      .filter((side) => y >= side.top && y < side.bottom)
      .map((side) => side.x + (y - side.top) * side.slope)
      .sort((a, b) => a - b);
    for (let i = 1; i < ends.length; i += 2) {
      paintRow(canvas, y, Math.ceil(ends[i - 1] / ONE), Math.floor(ends[i] / ONE), value);
    }
  }
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The part of a line that is on the canvas, its ends cut to whole numbers; null where there is none. */
function clip({ width, height }: Canvas, a: Point, b: Point): [Point, Point] | null {
  const [right, bottom] = [width - 1, height - 1];
  if (Math.max(a.y, b.y) < 0 || Math.min(a.y, b.y) > bottom) return null;
  if (Math.max(a.x, b.x) < 0 || Math.min(a.x, b.x) > right) return null;
  let [from, to] = [a, b];
  const toRow = ({ x, y }: Point, row: number): Point => ({
    x: x + Math.trunc(((row - y) * (to.x - from.x)) / (to.y - from.y)),
    y: row,
  });
  const toColumn = ({ x, y }: Point, column: number): Point => ({
    x: column,
    y: y + Math.trunc(((column - x) * (to.y - from.y)) / (to.x - from.x)),
  });
  const between = (value: number, last: number): number => Math.min(Math.max(value, 0), last);
  // One end after the other: where the second is cut depends on the first.
  if (from.y !== between(from.y, bottom)) from = toRow(from, between(from.y, bottom));
  if (to.y !== between(to.y, bottom)) to = toRow(to, between(to.y, bottom));
  if (Math.max(from.x, to.x) < 0 || Math.min(from.x, to.x) > right) return null;
  if (from.x !== between(from.x, right)) from = toColumn(from, between(from.x, right));
  if (to.x !== between(to.x, right)) to = toColumn(to, between(to.x, right));
  return [from, to];
}

/** Bresenham's line between two pixels, both included, from left to right. */
function paintLine(canvas: Canvas, a: Point, b: Point, value: number): void {
  const [from, to] = a.x <= b.x ? [a, b] : [b, a];
  const [dx, dy] = [to.x - from.x, Math.abs(to.y - from.y)];
  const down = Math.sign(to.y - from.y);
  const steep = dy > dx;
  const [long, short] = steep ? [dy, dx] : [dx, dy];
  let error = long - 2 * short;
  let { x, y } = from;
  for (let i = 0; i <= long; i++) {
    paintRow(canvas, y, x, x, value);
    const both = error < 0;
    error += (both ? 2 * long : 0) - 2 * short;
    if (steep || both) y += down;
    if (!steep || both) x += 1;
  }
}
