import { paintRow } from "./canvas.ts";
import type { Canvas, Outline } from "./canvas.ts";

/**
 * Paints a polygon as Pillow's `ImageDraw.polygon(xy, fill, outline)` of one colour does (Pillow 13), with which LabelMe makes
 * its masks: the points are cut to whole numbers, and a row is filled between the places where its line meets the sides, even
 * and odd in turns, both ends rounded to a pixel and included. The tip of a flat corner reaches as far as the next row does.
 *
 * @param outline at least three points
 */
export function paintPillowPolygon(canvas: Canvas, outline: Outline, value: number): void {
  const sides = sidesOf(outline);
  const top = Math.min(...sides.map((side) => side.top));
  const bottom = Math.max(...sides.map((side) => side.bottom));
  for (const { top: y, bottom: end, x0, x1 } of sides) {
    if (y === end) paintRow(canvas, y, Math.min(x0, x1), Math.max(x0, x1), value);
  }
  const slanted = sides.filter((side) => side.top < side.bottom);
  for (let y = Math.max(0, top); y <= Math.min(bottom, canvas.height - 1); y++) {
    const ends: number[] = [];
    slanted.forEach((side, i) => {
      if (y < side.top || y > side.bottom) return;
      const x = xAt(side, y);
      // A side that ends here and goes on in another counts twice, so that the row stays in pairs.
      if (y === side.bottom && y < Math.min(bottom, canvas.height)) ends.push(x, x);
      else ends.push(endsAt(side, y) ? tipOf(side, slanted.slice(0, i), y) : x);
    });
    ends.sort((a, b) => a - b);
    for (let i = 1; i < ends.length; i += 2) {
      paintRow(canvas, y, halfAwayFromZero(ends[i - 1]), halfTowardsZero(ends[i]), value);
    }
  }
}

const xAt = ({ x0, y0, slope }: Side, y: number): number => Math.fround(Math.fround((y - y0) * slope) + x0);

const endsAt = ({ top, bottom, slope }: Side, y: number): boolean =>
  (y === top || y === bottom) && slope !== 0;

/** Where a side's end lies that makes a corner with one of `others`: one pixel beyond what both fill in the next row. */
function tipOf(side: Side, others: readonly Side[], y: number): number {
  const x = xAt(side, y);
  const next = y === side.bottom ? y - 1 : y + 1;
  const other = others.find(
    (candidate) =>
      endsAt(candidate, y) &&
      halfAwayFromZero(x) === halfAwayFromZero(xAt(candidate, y)) &&
      next >= candidate.top &&
      next <= candidate.bottom,
  );
  if (other === undefined) return x;
  const [a, b] = [xAt(side, next), xAt(other, next)];
  if (x > Math.max(a, b) + 1) return halfAwayFromZero(Math.max(a, b)) + 1;
  if (x < Math.min(a, b) - 1) return halfAwayFromZero(Math.min(a, b)) - 1;
  return x;
}

interface Side {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly top: number;
  readonly bottom: number;
  readonly slope: number;
}

function sidesOf(outline: Outline): Side[] {
  const count = outline.length / 2;
  return Array.from({ length: count }, (_, i) => {
    const next = (i + 1) % count;
    const [x0, y0] = [Math.trunc(outline[2 * i]), Math.trunc(outline[2 * i + 1])];
    const [x1, y1] = [Math.trunc(outline[2 * next]), Math.trunc(outline[2 * next + 1])];
    return {
      x0,
      y0,
      x1,
      top: Math.min(y0, y1),
      bottom: Math.max(y0, y1),
      slope: y0 === y1 ? 0 : Math.fround((x1 - x0) / (y1 - y0)),
    };
  });
}

const halfAwayFromZero = (value: number): number =>
  value >= 0 ? Math.floor(value + 0.5) : -Math.floor(0.5 - value);
const halfTowardsZero = (value: number): number =>
  value >= 0 ? Math.ceil(value - 0.5) : -Math.ceil(-value - 0.5);
