import fc from "fast-check";
import { expect, it } from "vitest";
import { ScoreBand } from "../../src/use/score-band.ts";

const CLASSES = 3;

it("gives the likeliest class of what pieces add up to, holding only the rows of the tallest", () => {
  const piece = fc.record({
    left: fc.nat(8),
    top: fc.nat(10),
    width: fc.integer({ min: 1, max: 6 }),
    height: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 11 }),
      fc.array(piece, { minLength: 1, maxLength: 8 }),
      fc.nat(8),
      (width, height, pieces, cut) => {
        const inside = pieces
          .filter(({ left, top }) => left < width && top < height)
          .sort((a, b) => a.top - b.top);
        const sums = new Float64Array(width * height * CLASSES);
        const mask = new Uint8Array(width * height).fill(9);
        // In two strips, as a photo that is wide.
        const edges = [0, Math.min(cut, width), width];
        for (const strip of [0, 1]) {
          const [left, right] = [edges[strip], edges[strip + 1]];
          const shape = { photoWidth: width, left, width: right - left, rows: 5, classes: CLASSES };
          const band = new ScoreBand(mask, shape);
          for (const [i, own] of inside.entries()) {
            const scores = Float32Array.from(
              { length: own.width * own.height * CLASSES },
              (_, at) => ((at * 7 + i * 5) % 11) / 8,
            );
            const rows = Float32Array.from({ length: own.height }, (_, row) => 1 + row / 4);
            const columns = Float32Array.from({ length: own.width }, (_, column) => 1 + column / 2);
            band.finish(own.top);
            if (own.left < right && own.left + own.width > left) band.add(scores, own, rows, columns);
            for (let at = 0; at < scores.length && strip === 0; at++) {
              const [x, y] = [Math.floor(at / CLASSES) % own.width, Math.floor(at / CLASSES / own.width)];
              if (own.left + x >= width || own.top + y >= height) continue;
              const to = ((own.top + y) * width + own.left + x) * CLASSES + (at % CLASSES);
              sums[to] += scores[at] * rows[y] * columns[x];
            }
          }
          band.finish(height);
        }
        // Everything is a multiple of 1/64: sums are exact.
        const expected = mask.map((_, pixel) => {
          const own = [...sums.subarray(pixel * CLASSES, (pixel + 1) * CLASSES)];
          return own.indexOf(Math.max(...own));
        });
        expect(mask).toEqual(expected);
      },
    ),
  );
});
