import fc from "fast-check";
import { expect, test } from "vitest";
import { classShares } from "../../src/masks/class-shares.ts";
import { countClasses } from "../../src/masks/count-classes.ts";

test("counts every pixel of every mask once", () => {
  const mask = fc.uint8Array({ maxLength: 50, max: 3 });
  fc.assert(
    fc.property(fc.array(mask, { maxLength: 4 }), (masks) => {
      const counts = countClasses(masks);
      expect(counts).toHaveLength(256);
      const pixels = masks.flatMap((own) => [...own]);
      counts.forEach((count, label) => expect(count).toBe(pixels.filter((own) => own === label).length));
    }),
  );
  expect(countClasses([Uint8Array.of(255, 0, 255)])[255]).toBe(2);
});

test("shares are those of the pixels that were counted", () => {
  const mask = Uint8Array.of(1, 1, 0, 2);
  const names = ["a", "b", "c", "d"];
  expect(classShares(mask, names, countClasses([mask]))).toEqual(classShares(mask, names));
  expect(classShares(mask, names).map(({ name, share }) => [name, share])).toEqual([
    ["b", 0.5],
    ["a", 0.25],
    ["c", 0.25],
  ]);
});
