import { describe, expect, it } from "vitest";
import { subgroupMatrixOf } from "../../src/graph/kernel-target.ts";

const FEATURES = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"];
const config = (componentType: string, resultComponentType: string, M: number, N: number, K: number) => ({
  componentType,
  resultComponentType,
  M,
  N,
  K,
});
const of = (configs: readonly object[] | undefined, features = FEATURES) =>
  subgroupMatrixOf({
    features: new Set(features),
    info: { subgroupMatrixConfigs: configs } as unknown as GPUAdapterInfo,
  });

describe("subgroup matrices of an adapter", () => {
  it("are the largest that multiply f16 into f32", () => {
    expect(
      of([
        config("f16", "f16", 16, 16, 16),
        config("f16", "f32", 8, 8, 8),
        config("f16", "f32", 16, 16, 16),
        config("f16", "f32", 16, 8, 16),
        config("i8", "i32", 16, 16, 32),
      ]),
    ).toEqual({ rows: 16, columns: 16, depth: 16 });
    expect(of([config("f16", "f32", 16, 8, 16)])).toEqual({ rows: 16, columns: 8, depth: 16 });
  });

  it("are none where sums are f16 only, or no tile is made of whole ones", () => {
    expect(of([config("f16", "f16", 16, 16, 16)])).toBeNull();
    expect(of([config("f32", "f32", 8, 8, 8)])).toBeNull();
    expect(of([config("f16", "f32", 12, 16, 16)])).toBeNull();
    expect(of([config("f16", "f32", 32, 32, 8)])).toBeNull();
    expect(of([])).toBeNull();
    expect(of(undefined)).toBeNull();
  });

  it.each(FEATURES)("are none without the feature %s", (missing) => {
    const features = FEATURES.filter((feature) => feature !== missing);
    expect(of([config("f16", "f32", 16, 16, 16)], features)).toBeNull();
  });
});
