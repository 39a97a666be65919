import fc from "fast-check";
import { expect, it } from "vitest";
import { parseRunLengths } from "../../src/data/shapes/run-lengths.ts";
import { runLengthsOf, runLengthText } from "../../src/masks/run-lengths.ts";

it("counts down the columns, zeros first", () => {
  // pycocotools.mask.encode(np.asfortranarray([[1, 0, 1], [1, 0, 0]], dtype=np.uint8)), its counts uncompressed.
  expect(runLengthsOf(Uint8Array.of(7, 0, 7, 7, 0, 0), 3, 7)).toEqual([0, 2, 2, 1, 1]);
  expect(runLengthsOf(Uint8Array.of(1, 1), 2, 7)).toEqual([2]);
  expect(runLengthsOf(Uint8Array.of(7, 7), 2, 7)).toEqual([0, 2]);
});

it("writes what is read back", () => {
  const counts = fc.array(fc.oneof(fc.nat(40), fc.nat(2 ** 28)), { minLength: 1 });
  fc.assert(
    fc.property(counts, (given) => {
      expect(parseRunLengths(runLengthText(given), "here")).toEqual(given);
    }),
  );
});
