/** @file The areas of a mask as polygons along the edges of its pixels: exact, whatever the mask. */

/** Corners `[x, y]` of pixels, the first again at the end; pixel (x, y) lies from (x, y) to (x + 1, y + 1). */
export type Ring = readonly (readonly [x: number, y: number])[];

/** An area of one class whose pixels hang together by their sides. */
export interface Outline {
  readonly label: number;
  /** The outer ring, so that its area (shoelace formula) is positive, and those of the holes, negative. */
  readonly rings: readonly Ring[];
}

/**
 * The outlines of all areas of a mask `[height, width]`, in the order in which their first pixels come.
 *
 * Rings of one area may touch at corners and never cross (OGC Simple Features allows both for polygons).
 */
export function outlinesOf(mask: Uint8Array, width: number): Outline[] {
  const areas = areasOf(mask, width);
  const outlines = new Map<number, { label: number; rings: Ring[] }>();
  // Every ring has an upper edge of some pixel, which is met once.
  const met = new Uint8Array(mask.length);
  for (let pixel = 0; pixel < mask.length; pixel++) {
    const area = areas[pixel];
    if (met[pixel] || (pixel >= width && areas[pixel - width] === area)) continue;
    const ring = ringFrom(pixel, areas, width, met);
    const outline = outlines.get(area);
    if (outline) outline.rings.push(ring);
    // The topmost pixel of an area is on its outer ring.
    else outlines.set(area, { label: mask[pixel], rings: [ring] });
  }
  return [...outlines.values()];
}

/** To the right, down, to the left, up: along the upper, right, lower and left edge of a pixel, which lies on the right. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** The ring that begins with the upper edge of a pixel; marks the upper edges that it has. */
function ringFrom(start: number, areas: Int32Array, width: number, met: Uint8Array): Ring {
  const area = areas[start];
  const height = areas.length / width;
  const isInside = (x: number, y: number): boolean =>
    x >= 0 && x < width && y >= 0 && y < height && areas[y * width + x] === area;
  const ring: [number, number][] = [];
  let [x, y, direction] = [start % width, Math.floor(start / width), 0];
  const [firstX, firstY] = [x, y];
  do {
    if (direction === 0) met[y * width + x] = 1;
    const [dx, dy] = STEPS[direction];
    const [leftX, leftY] = [x + dx + dy, y + dy - dx];
    if (!isInside(x + dx, y + dy)) {
      // Around the corner of the same pixel: areas that touch at a corner only do not hang together.
      direction = (direction + 1) % 4;
      ring.push(corner(x, y, direction));
    } else if (isInside(leftX, leftY)) {
      [x, y] = [leftX, leftY];
      ring.push(corner(x, y, direction === 0 ? 3 : direction - 1));
      direction = (direction + 3) % 4;
    } else [x, y] = [x + dx, y + dy];
  } while (x !== firstX || y !== firstY || direction !== 0);
  return [ring.at(-1)!, ...ring];
}

/** Where the edge of a pixel begins that is gone along in a direction. */
const corner = (x: number, y: number, direction: number): [number, number] => [
  x + (direction === 1 || direction === 2 ? 1 : 0),
  y + (direction >= 2 ? 1 : 0),
];

/** Of each pixel the number of its area: the first pixel of it. */
function areasOf(mask: Uint8Array, width: number): Int32Array {
  const parents = Int32Array.from(mask, (_, pixel) => pixel);
  const rootOf = (pixel: number): number => {
    let root = pixel;
    while (parents[root] !== root) root = parents[root];
    for (let at = pixel; parents[at] !== root;) [parents[at], at] = [root, parents[at]];
    return root;
  };
  for (let pixel = 0; pixel < mask.length; pixel++) {
    for (const neighbour of [pixel % width > 0 ? pixel - 1 : -1, pixel - width]) {
      if (neighbour < 0 || mask[neighbour] !== mask[pixel]) continue;
      const [a, b] = [rootOf(neighbour), rootOf(pixel)];
      parents[Math.max(a, b)] = Math.min(a, b);
    }
  }
  return parents.map((_, pixel) => rootOf(pixel));
}
