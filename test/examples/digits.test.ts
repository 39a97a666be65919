import { expect, it } from "vitest";
import { digitText, drawDigits, SIZE } from "../../examples/digits.ts";

const PIXELS = SIZE * SIZE;

it("draws the same digits from the same seed, others from another", () => {
  const { images, labels } = drawDigits(20, 4);
  expect(drawDigits(20, 4)).toEqual({ images, labels });
  expect(drawDigits(20, 5).images).not.toEqual(images);
});

it("draws every digit within the picture: ink in the middle, paper along the edges", () => {
  const { images, labels } = drawDigits(300, 1);
  expect(new Set(labels)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  for (let i = 0; i < labels.length; i++) {
    const image = images.subarray(i * PIXELS, (i + 1) * PIXELS);
    expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...image)).toBeLessThanOrEqual(1);
    const ink = image.filter((value) => value > 0.5).length;
    expect(ink, `ink of a ${labels[i]}`).toBeGreaterThan(20);
    expect(ink, `ink of a ${labels[i]}`).toBeLessThan(PIXELS / 2);
  }
});

it("prints a digit in two characters a pixel", () => {
  const image = new Float32Array(PIXELS);
  image[SIZE + 2] = 1;
  expect(digitText(image).split("\n").slice(0, 3)).toEqual(["", "    @@", ""]);
});
