import fc from "fast-check";
import { expect, it } from "vitest";
import { outlinesOf } from "../../src/masks/outlines.ts";
import type { Ring } from "../../src/masks/outlines.ts";

/** Twice the area within a ring, by the shoelace formula. */
const twiceArea = (ring: Ring): number =>
  ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i][0] * y - x * ring[i][1], 0);

/** How often rings go around the middle of a pixel, by the even-odd rule. */
const isInside = (rings: readonly Ring[], px: number, py: number): boolean =>
  rings
    .flatMap((ring) => ring.slice(1).map(([x, y], i) => [ring[i][0], ring[i][1], x, y]))
    .filter(([x0, y0, x1, y1]) => x0 === x1 && x0 > px && Math.min(y0, y1) < py && Math.max(y0, y1) > py)
    .length %
    2 ===
  1;

it("goes around exactly the pixels of each class", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.infiniteStream(fc.nat(2)),
      (width, height, labels) => {
        const mask = Uint8Array.from({ length: width * height }, () => labels.next().value as number);
        const outlines = outlinesOf(mask, width);
        for (const { rings } of outlines) {
          for (const [i, ring] of rings.entries()) {
            expect(ring.at(-1)).toEqual(ring[0]);
            expect(Math.sign(twiceArea(ring))).toBe(i === 0 ? 1 : -1);
            // Corners only, in turns along x and y.
            ring.slice(1).forEach(([x, y], k) => {
              const [before] = [ring[k]];
              expect([x === before[0], y === before[1]].filter(Boolean)).toHaveLength(1);
            });
          }
        }
        const found = mask.map((_, pixel) => {
          const [x, y] = [(pixel % width) + 0.5, Math.floor(pixel / width) + 0.5];
          const around = outlines.filter(({ rings }) => isInside(rings, x, y));
          expect(around).toHaveLength(1);
          return around[0].label;
        });
        expect(found).toEqual(mask);
        const pixels = outlines.flatMap(({ rings }) => rings).reduce((sum, ring) => sum + twiceArea(ring), 0);
        expect(pixels).toBe(2 * mask.length);
      },
    ),
  );
});

it("has a ring a hole, and an area for pixels that touch at a corner only", () => {
  // prettier-ignore
  const mask = Uint8Array.of(
    1, 1, 1, 0,
    1, 0, 1, 0,
    1, 1, 1, 0,
    0, 0, 0, 1,
  );
  const outlines = outlinesOf(mask, 4);
  expect(outlines.map(({ label, rings }) => [label, rings.length])).toEqual([
    [1, 2],
    [0, 1],
    [0, 1],
    [0, 1],
    [1, 1],
  ]);
  expect(outlines[0].rings).toEqual(
    [
      [
        [0, 0],
        [3, 0],
        [3, 3],
        [0, 3],
        [0, 0],
      ],
      [
        [1, 1],
        [1, 2],
        [2, 2],
        [2, 1],
        [1, 1],
      ],
    ].map((ring) => expect.arrayContaining(ring) as Ring),
  );
});
