import type { Canvas, Outline } from "./canvas.ts";

/** The outline is followed on a lattice so many times as fine as the pixels. */
const FINENESS = 5;

/**
 * Paints a polygon as COCO's own tools do (`rleFrPoly` of pycocotools): the outline is followed on a lattice of fifths of a
 * pixel, and where it crosses the middle of a column of pixels, inside and outside change below that place. Holes do not
 * exist: each outline is painted for itself.
 *
 * @param outline at least three points
 */
export function paintCocoPolygon(canvas: Canvas, outline: Outline, value: number): void {
  const { width, height, pixels } = canvas;
  const turns = crossings(outline, width, height).sort((a, b) => a - b);
  // Positions go down the columns, one column after the other, and a run may go on from one to the next.
  for (let turn = 0; turn < turns.length; turn += 2) {
    const end = turns[turn + 1] ?? width * height;
    for (let at = turns[turn]; at < end; at++)
      pixels[(at % height) * width + Math.floor(at / height)] = value;
  }
}

/** The positions, column by column, at which inside and outside change. */
function crossings(outline: Outline, width: number, height: number): number[] {
  const found: number[] = [];
  let before: readonly [number, number] | null = null;
  for (const point of latticePoints(outline)) {
    if (before !== null && point[0] !== before[0]) {
      const column = (Math.min(point[0], before[0]) + 0.5) / FINENESS - 0.5;
      if (Number.isInteger(column) && column >= 0 && column <= width - 1) {
        const row = (Math.min(point[1], before[1]) + 0.5) / FINENESS - 0.5;
        found.push(column * height + Math.ceil(Math.min(Math.max(row, 0), height)));
      }
    }
    before = point;
  }
  return found;
}

/** Every point of the lattice on the outline, side by side in the direction in which a side is longer. */
function* latticePoints(outline: Outline): Generator<readonly [number, number]> {
  const count = outline.length / 2;
  const at = (i: number): readonly [number, number] => [
    Math.trunc(FINENESS * outline[2 * (i % count)] + 0.5),
    Math.trunc(FINENESS * outline[2 * (i % count) + 1] + 0.5),
  ];
  for (let side = 0; side < count; side++) {
    const [from, to] = [at(side), at(side + 1)];
    const along = Math.abs(to[0] - from[0]) >= Math.abs(to[1] - from[1]) ? 0 : 1;
    // Rounding depends on the direction, so every side is followed from its lower end.
    const backwards = from[along] > to[along];
    const [low, high] = backwards ? [to, from] : [from, to];
    const steps = high[along] - low[along];
    const across = 1 - along;
    const slope = steps === 0 ? 0 : (high[across] - low[across]) / steps;
    for (let i = 0; i <= steps; i++) {
      const step = backwards ? steps - i : i;
      const other = Math.trunc(low[across] + slope * step + 0.5);
      yield along === 0 ? [low[0] + step, other] : [other, low[1] + step];
    }
  }
}
