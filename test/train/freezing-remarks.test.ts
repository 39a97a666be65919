import { expect, it } from "vitest";
import { resolveConfig } from "../../src/config/index.ts";
import type { Said } from "../../src/config/index.ts";
import { freezingRemarks } from "../../src/train/freezing-remarks.ts";

const remarks = (said: Said, weights: { hasDecoder: boolean } | null = null): string[] =>
  freezingRemarks(resolveConfig([{ file: null, said }], "lavapipe"), weights);

it("says where --freeze keeps a decoder of random numbers, or leaves nothing to cache", () => {
  const random = "--freeze decoder keeps a decoder of random numbers, for";
  expect(remarks({ freeze: "decoder" })[0]).toContain(`${random} there are no --weights: give`);
  expect(remarks({ freeze: "decoder", weights: "e.h5" }, { hasDecoder: false })[0]).toContain(
    `${random} e.h5 holds an encoder only: give`,
  );
  expect(remarks({ freeze: "none", cacheFeatures: true })[0]).toContain("--cache-features keeps nothing");
});

it("says nothing of what has its use", () => {
  expect(remarks({ freeze: "decoder", weights: "unet.h5" }, { hasDecoder: true })).toEqual([]);
  expect(remarks({ freeze: "decoder", epochsFrozen: 0 })).toEqual([]);
  expect(remarks({ freeze: "encoder", cacheFeatures: true })).toEqual([]);
  expect(remarks({ freeze: "none" })).toEqual([]);
});
