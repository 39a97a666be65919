import { expect, it } from "vitest";
import { IGNORE } from "../../../src/data/dataset.ts";
import { ERROR_COLOURS, errorDrawing, errorEntries, errorMap } from "../../../src/runs/figures/error-map.ts";
import { HATCH } from "../../../src/runs/figures/not-counted.ts";

it("tells what is right, what is wrong and what does not count", () => {
  const truth = Uint8Array.of(0, 3, IGNORE, 3);
  const prediction = Uint8Array.of(0, 3, 3, 1);
  expect([...errorMap(truth, prediction, 4)]).toEqual([0, 0, IGNORE, 1]);
  // Of 256 classes the last one is class 255.
  expect([...errorMap(truth, prediction, 256)]).toEqual([0, 0, 1, 1]);
  expect(errorEntries([truth], 4).map(({ label }) => label)).toEqual([
    "correct",
    "misclassified",
    "not counted",
  ]);
  expect(errorEntries([truth], 256)).toHaveLength(2);
});

it("draws each in its colour, of a picture that is no square either", async () => {
  const size = { width: 3, height: 2 };
  const truth = Uint8Array.of(0, 1, IGNORE, 1, 1, 1);
  const drawn = await errorDrawing(size, truth, Uint8Array.of(0, 0, 0, 1, 0, 1), 2).draw(size);
  const colours = Array.from(
    { length: 6 },
    (_, i) => `#${Buffer.from(drawn.subarray(3 * i, 3 * i + 3)).toString("hex")}`,
  );
  const { correct, misclassified } = ERROR_COLOURS;
  const [ignored] = colours.splice(2, 1);
  expect([HATCH.ground, HATCH.lines]).toContain(ignored);
  expect(colours).toEqual([correct, misclassified, correct, misclassified, correct]);
});

/** What is left of linear RGB where a kind of cones is missing (Machado, Oliveira & Fernandes 2009, severity 1), and of all in a grey print. */
const SIGHTS: Record<string, readonly (readonly number[])[]> = {
  "all cones": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

it.each(Object.keys(SIGHTS))("has colours that differ in lightness by 3 to 1 and more with %s", (sight) => {
  const luminance = (hex: string): number => {
    const linear = [...Buffer.from(hex.slice(1), "hex")].map((value) => {
      const channel = value / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    const seen = SIGHTS[sight].map((row) => row.reduce((sum, share, i) => sum + share * linear[i], 0));
    return 0.2126 * seen[0] + 0.7152 * seen[1] + 0.0722 * seen[2];
  };
  const contrast = (a: string, b: string): number => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  // WCAG 2.2 wants 3 to 1 of graphics.
  const { correct, misclassified } = ERROR_COLOURS;
  expect(contrast(correct, misclassified)).toBeGreaterThan(3);
  expect(contrast(misclassified, HATCH.ground)).toBeGreaterThan(3);
  // The hatch has lines, which neither colour has.
  expect(contrast(HATCH.ground, HATCH.lines)).toBeGreaterThan(2);
});
