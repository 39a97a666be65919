import { expect, it } from "vitest";
import { flipLines, viewsOf } from "../../src/use/views.ts";

it("looks at a photo as it is first, and then in every combination of what is asked for", () => {
  expect(viewsOf([])).toEqual([{ scale: 1, flipped: false }]);
  expect(viewsOf(["flips"]).map(({ flipped }) => flipped)).toEqual([false, true]);
  expect(viewsOf(["scales", "flips"]).map(({ scale }) => scale)).toEqual([1, 1, 0.75, 0.75, 1.25, 1.25]);
});

it.each([1, 2, 5])("turns lines of %i pixels round, channel by channel in its place", (width) => {
  const [lines, channels] = [3, 4];
  const values = Float32Array.from({ length: lines * width * channels }, (_, i) => i);
  const flipped = values.slice();
  flipLines(flipped, width, channels);
  for (let y = 0; y < lines; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        expect(flipped[(y * width + x) * channels + c]).toBe(
          values[(y * width + width - 1 - x) * channels + c],
        );
      }
    }
  }
});
