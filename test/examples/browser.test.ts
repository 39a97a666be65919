import { describe, expect, it } from "vitest";
import { createNetwork, GRID, GRID_PLACES } from "../../examples/browser/network.ts";
import { CLASSES, COUNT, drawPoints } from "../../examples/browser/points.ts";
import { useGpu } from "../helpers/gpu.ts";

describe("the example that learns in a page", () => {
  const gpu = useGpu();

  it.each(["spirals", "rings", "clouds"] as const)(
    "draws %s, the same from the same seed, within the picture",
    (set) => {
      const points = drawPoints(set, 1);
      expect(drawPoints(set, 1)).toEqual(points);
      expect(drawPoints(set, 2).x).not.toEqual(points.x);
      expect(points.labels.filter((label) => label === 2)).toHaveLength(COUNT / CLASSES);
      const inside = points.x.filter((each) => Math.abs(each) <= 1).length;
      expect(inside).toBeGreaterThan(0.98 * points.x.length);
    },
  );

  it("tells the spirals apart, and says so of the places where they lie", async () => {
    const network = await createNetwork(gpu(), 1);
    const { x, labels } = drawPoints("spirals", 1);
    let loss = NaN;
    for (let step = 0; step < 200; step++) loss = (await network.step.run({ x, labels })).loss[0];
    expect(loss).toBeLessThan(0.1);

    const { probabilities } = await network.ask.run({ x: GRID_PLACES });
    const likeliest = (column: number, row: number): number => {
      const begin = CLASSES * (GRID * row + column);
      const [a, b, c] = probabilities.subarray(begin, begin + CLASSES);
      expect(a + b + c).toBeCloseTo(1, 5);
      return [a, b, c].indexOf(Math.max(a, b, c));
    };
    const right = labels.filter((label, i) => {
      const [column, row] = [(x[2 * i] + 1) / 2, (1 - x[2 * i + 1]) / 2].map((each) =>
        Math.floor(GRID * each),
      );
      return likeliest(column, row) === label;
    });
    expect(right.length).toBeGreaterThan(0.95 * COUNT);
    network.destroy();
  });
});
