import { expect, test } from "vitest";
import { CLOTHING_CLASSES } from "../../src/data/class-names.ts";
import { drawFigure } from "../../src/data/people/figure.ts";
import type { Sample } from "../../src/data/dataset.ts";
import { GeneratedDataset } from "../../src/data/generated-dataset.ts";

const drawn = (seed: number, index: number, side: number): Sample =>
  drawFigure(seed, index, { height: side, width: side });

test("a picture is a function of seed, index and size", async () => {
  const options = { size: 4, imageSize: 24, seed: 3 };
  const [a, b] = [new GeneratedDataset(options), new GeneratedDataset(options)];
  await a.load(0);
  expect(await a.load(2)).toEqual(await b.load(2));
  expect(await a.load(2)).toBe(await a.load(2));
  expect(await a.load(1)).not.toEqual(await a.load(2));
  expect(drawn(4, 2, 24)).not.toEqual(drawn(3, 2, 24));
});

test("it is the same scene at every size", () => {
  const [small, large] = [drawn(1, 5, 32).mask, drawn(1, 5, 96).mask];
  // At three times the size, every pixel's centre is the centre of a small pixel's nine.
  small.forEach((label, i) => {
    const [x, y] = [i % 32, Math.floor(i / 32)];
    expect(large[(3 * y + 1) * 96 + 3 * x + 1]).toBe(label);
  });
});

test("in a rectangle it is the same scene, stretched", () => {
  const small = drawn(1, 5, 32).mask;
  const { mask: wide, ...shape } = drawFigure(1, 5, { height: 32, width: 96 });
  expect([shape.height, shape.width, wide.length]).toEqual([32, 96, 32 * 96]);
  small.forEach((label, i) => expect(wide[Math.floor(i / 32) * 96 + 3 * (i % 32) + 1]).toBe(label));
});

test("pixels lie in [0, 1], any size from 16 up", () => {
  for (const size of [16, 17, 50]) {
    const { image, mask } = drawn(7, 1, size);
    expect([image.length, mask.length]).toEqual([size * size * 3, size * size]);
    expect(image.every((value) => value >= 0 && value <= 1)).toBe(true);
  }
  expect(() => new GeneratedDataset({ size: 1, imageSize: 15 })).toThrow(
    "Pictures of 15 pixels cannot be drawn",
  );
  expect(() => new GeneratedDataset({ size: 1, imageSize: { height: 32, width: 15 } })).toThrow(
    "Pictures of 32x15 pixels cannot be drawn",
  );
  expect(() => new GeneratedDataset({ size: 0, imageSize: 16 })).toThrow("give a whole number from 1 up");
});

test("all 59 classes appear, background about as much as in street photos, people in the middle", () => {
  const pixels = new Float64Array(CLOTHING_CLASSES.length);
  const [figures, size] = [300, 48];
  for (let index = 0; index < figures; index++) {
    const { mask } = drawn(0, index, size);
    for (const label of mask) pixels[label]++;
    expect(mask[0]).toBe(0);
  }
  expect(CLOTHING_CLASSES.filter((_, label) => pixels[label] === 0)).toEqual([]);
  const share = (label: number): number => pixels[label] / (figures * size * size);
  expect(share(0)).toBeGreaterThan(0.7);
  expect(share(0)).toBeLessThan(0.82);
  for (const label of ["skin", "hair", "dress", "coat", "pants"] as const) {
    expect(share(CLOTHING_CLASSES.indexOf(label)), label).toBeGreaterThan(0.004);
  }
});

test("an index outside the set is refused", async () => {
  const dataset = new GeneratedDataset({ size: 2, imageSize: 16 });
  expect([dataset.size, dataset.names[1], dataset.classNames[20]]).toEqual([2, "generated-0001", "hat"]);
  await expect(dataset.load(2)).rejects.toThrow("There is no generated picture 2 among 2.");
});
