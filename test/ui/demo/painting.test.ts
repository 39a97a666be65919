import { placementOf } from "../../../src/data/fit.ts";
import { describe, expect, it } from "vitest";
import { Painting, regionAt, UNPAINTED } from "../../../src/ui/demo/painting.ts";
import { fineTuningTargets } from "../../../src/ui/demo/fine-tuning-targets.ts";

const painted = ({ labels }: Painting): number => labels.filter((label) => label !== UNPAINTED).length;

describe("Painting", () => {
  it("paints discs along a line, inside the picture, and takes strokes back one by one", () => {
    const painting = new Painting({ width: 40, height: 30 });
    painting.begin(3);
    painting.line({ x: 10, y: 15 }, { x: 30, y: 15 }, 5);
    // A rectangle of 20 × 10 and two half discs.
    expect(painted(painting)).toBeGreaterThan(260);
    expect(painted(painting)).toBeLessThan(300);
    expect(painting.labels[15 * 40 + 20]).toBe(3);
    expect(painting.labels[8 * 40 + 20]).toBe(UNPAINTED);
    const before = painting.labels.slice();
    painting.begin(7);
    painting.line({ x: 0, y: 15 }, { x: 39, y: 15 }, 2);
    expect(painting.labels[15 * 40 + 39]).toBe(7);
    expect(painting.strokes).toBe(2);
    painting.undo();
    expect(painting.labels).toEqual(before);
    painting.begin(UNPAINTED);
    painting.line({ x: 0, y: 0 }, { x: 39, y: 29 }, 50);
    expect(painted(painting)).toBe(0);
    painting.undo();
    expect(painting.labels).toEqual(before);
    painting.clear();
    expect([painted(painting), painting.strokes]).toEqual([0, 0]);
  });

  it("does not count strokes that change nothing, and knows when all paint is gone", () => {
    const painting = new Painting({ width: 10, height: 10 });
    const dab = (label: number): void => {
      painting.begin(label);
      painting.line({ x: 5, y: 5 }, { x: 5, y: 5 }, 2);
    };
    expect(painting.isEmpty).toBe(true);
    dab(3);
    dab(3);
    dab(3);
    expect([painting.strokes, painting.isEmpty]).toEqual([1, false]);
    dab(UNPAINTED);
    expect([painting.strokes, painting.isEmpty]).toEqual([2, true]);
    dab(UNPAINTED);
    painting.undo();
    expect([painting.strokes, painting.isEmpty]).toEqual([1, false]);
    painting.undo();
    expect([painting.strokes, painted(painting)]).toEqual([0, 0]);
  });

  it("finds the region around a point, connected by sides", () => {
    const labels = [
      [1, 1, 0, 2],
      [0, 1, 0, 2],
      [1, 0, 2, 2],
    ].flat();
    const size = { width: 4, height: 3 };
    expect(regionAt(labels, size, { x: 0.5, y: 0.5 }).sort((a, b) => a - b)).toEqual([0, 1, 5]);
    expect(regionAt(labels, size, { x: 3.9, y: 2.9 }).sort((a, b) => a - b)).toEqual([3, 7, 10, 11]);
  });
});

describe("fineTuningTargets", () => {
  const labels = Uint32Array.from({ length: 16 }, (_, i) => i % 3);
  const square = { height: 4, width: 4 };

  it("asks for nothing where nothing is painted", () => {
    expect(fineTuningTargets(new Painting({ width: 40, height: 20 }), labels, square, 5)).toBeNull();
  });

  it("gives a pixel of the network the class that most of its paint has, and keeps the rest", () => {
    const painting = new Painting({ width: 40, height: 20 });
    const block = (x0: number, y0: number, x1: number, y1: number): number[] =>
      Array.from({ length: (x1 - x0) * (y1 - y0) }, (_, i) => {
        const [x, y] = [x0 + (i % (x1 - x0)), y0 + Math.floor(i / (x1 - x0))];
        return y * 40 + x;
      });
    // Network pixels are 10 × 5: the first wholly, the second by a tenth, the one below the first by two classes.
    painting.fill(4, block(0, 0, 10, 5));
    painting.fill(4, block(10, 0, 11, 5));
    painting.fill(1, block(0, 5, 6, 10));
    painting.fill(2, block(6, 5, 10, 10));
    const { painted, kept, paintedPixels } = fineTuningTargets(painting, labels, square, 5)!;
    expect(paintedPixels).toBe(2);
    expect([...painted].map((label, i) => (label === 5 ? null : [i, label])).filter(Boolean)).toEqual([
      [0, 4],
      [4, 1],
    ]);
    expect([...kept]).toEqual([...labels].map((label, i) => ([0, 4].includes(i) ? 5 : label)));
  });

  it("finds a pixel's place in a network of another shape", () => {
    const painting = new Painting({ width: 40, height: 20 });
    // Pixels are 5 × 10 there: of the second row the last but one.
    painting.fill(
      4,
      Array.from({ length: 50 }, (_, i) => (10 + Math.floor(i / 5)) * 40 + 30 + (i % 5)),
    );
    const { painted } = fineTuningTargets(painting, labels, { height: 2, width: 8 }, 5)!;
    expect([...painted.entries()].filter(([, label]) => label !== 5)).toEqual([[14, 4]]);
  });

  it("asks nothing of what is around a letterboxed photo", () => {
    const painting = new Painting({ width: 40, height: 20 });
    const placement = placementOf(painting, square, "letterbox");
    painting.fill(
      4,
      Array.from({ length: 800 }, (_, i) => i),
    );
    const whole = fineTuningTargets(painting, labels, square, 5, placement)!;
    const [none, all] = [Array<number>(4).fill(5), Array<number>(8).fill(4)];
    expect([...whole.painted]).toEqual([...none, ...all, ...none]);
    expect([...whole.kept]).toEqual(Array(16).fill(5));
  });

  it("asks nothing of what is cut off, and keeps all that is not painted of what is seen", () => {
    const painting = new Painting({ width: 40, height: 20 });
    // The second half of the first row, of which the network sees the columns from 12 on.
    painting.fill(
      4,
      Array.from({ length: 20 * 5 }, (_, i) => 20 + (i % 20) + 40 * Math.floor(i / 20)),
    );
    const placement = { scaled: { height: 4, width: 8 }, left: -3, top: 0 };
    const { painted, kept } = fineTuningTargets(painting, labels, square, 5, placement)!;
    expect([...painted]).toEqual([5, 4, 4, 4, ...Array<number>(12).fill(5)]);
    expect([...kept]).toEqual([...labels].map((label, i) => (i > 0 && i < 4 ? 5 : label)));
    expect(fineTuningTargets(painting, labels, square, 5, { ...placement, top: -4 })).toBeNull();
  });

  it("takes every pixel that a small stroke touches when it covers none", () => {
    const painting = new Painting({ width: 40, height: 20 });
    painting.fill(2, [20 * 0 + 15, 5 * 40 + 9]);
    expect(fineTuningTargets(painting, labels, square, 5)!.paintedPixels).toBe(2);
  });
});
