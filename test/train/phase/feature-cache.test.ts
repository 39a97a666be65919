import { describe, expect, it } from "vitest";
import { FeatureCache, featureBudget, photosWithin } from "../../../src/train/phase/feature-cache.ts";
import { featureBytes } from "../../../src/train/phase/features.ts";

describe("FeatureCache", () => {
  it("keeps the first photos that come, as many as the budget holds", () => {
    const cache = new FeatureCache({ imageSize: 32 }, 2 * featureBytes({ imageSize: 32 }) + 1);
    const features = new Float32Array(1);
    // Two passes: whatever is kept in the first one is there in the second one.
    const found = [1, 2].map(() =>
      ["c", "a", "b"].filter((identity) => {
        const kept = cache.get(identity);
        if (!kept) cache.keep(identity, features);
        return kept;
      }),
    );
    expect(found).toEqual([[], ["c", "a"]]);
    expect(cache.get("a")).toBe(features);
  });

  it("takes a quarter of what is free, at most 4 GiB", () => {
    expect(featureBudget(2 ** 30)).toBe(2 ** 28);
    expect(featureBudget(2 ** 40)).toBe(2 ** 32);
    expect(featureBudget()).toBeGreaterThan(0);
    expect(photosWithin(2 ** 32, { imageSize: 128 })).toBe(1456);
  });
});
