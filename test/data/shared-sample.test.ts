import { expect, test } from "vitest";
import { share } from "../../src/data/shared-sample.ts";

test("a shared sample is a copy in memory that all threads see, and shared only once", () => {
  const sample = { height: 1, width: 1, image: Float32Array.of(0.25, 0.5, 1), mask: Uint8Array.of(7) };
  const shared = share(sample);
  expect([[...shared.image], [...shared.mask]]).toEqual([[0.25, 0.5, 1], [7]]);
  expect([shared.height, shared.width]).toEqual([1, 1]);
  expect(shared.image.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(shared.mask.buffer).toBe(shared.image.buffer);
  expect(share(shared)).toBe(shared);
});
