import { describe, expect, it } from "vitest";
import { describeMatrix, offeredMatrix } from "../../src/gpu/subgroup-matrix.ts";
import type { SubgroupMatrix } from "../../src/gpu/subgroup-matrix.ts";

const FEATURES = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"];
const CONTROL = [...FEATURES, "subgroup-size-control"];
const config = (componentType: string, resultComponentType: string, M: number, N = M, K = M) => ({
  componentType,
  resultComponentType,
  M,
  N,
  K,
});
const SQUARE = config("f16", "f32", 16);
/** What Dawn says of Apple's GPUs. */
const APPLE = [config("f32", "f32", 8), config("f16", "f16", 8)];

const of = (
  configs: readonly object[] | undefined,
  { features = FEATURES, lanes = [32, 32] }: { features?: readonly string[]; lanes?: readonly number[] } = {},
) =>
  offeredMatrix({
    features: new Set(features),
    info: {
      subgroupMatrixConfigs: configs,
      subgroupMinSize: lanes[0],
      subgroupMaxSize: lanes[1],
    } as unknown as GPUAdapterInfo,
  });

describe("matrices of subgroups that an adapter offers", () => {
  it("are the largest that multiply f16 into f32", () => {
    expect(
      of([
        config("f16", "f16", 16),
        config("f16", "f32", 8),
        config("f32", "f32", 16),
        SQUARE,
        config("f16", "f32", 16, 8, 16),
        config("i8", "i32", 16, 16, 32),
      ]),
    ).toEqual({
      component: "f16",
      ...{ rows: 16, columns: 16, depth: 16 },
      ...{ lanes: 32, asksForLanes: false, workgroupMultiple: 32 },
    });
    expect(of([config("f16", "f32", 16, 8, 16)])).toMatchObject({ rows: 16, columns: 8, depth: 16 });
  });

  it("are of f32 where only those are added up in f32, or there is no f16", () => {
    expect(of(APPLE)).toMatchObject({ component: "f32", rows: 8, columns: 8, depth: 8 });
    const features = FEATURES.filter((name) => name !== "shader-f16");
    expect(of([SQUARE, config("f32", "f32", 8)], { features })).toMatchObject({ component: "f32", rows: 8 });
  });

  it("are none, and it is said why, where sums are f16 only, or no tile is made of whole ones", () => {
    expect(of([config("f16", "f16", 16)])).toMatch(/the adapter has f16 into f16 16×16×16$/);
    expect(of([config("f16", "f32", 12, 16, 16)])).toMatch(/f16 into f32 12×16×16$/);
    expect(of([config("f16", "f32", 32, 32, 8)])).toMatch(/32×32×8$/);
    expect(of([])).toMatch(/none at all/);
    expect(of(undefined)).toMatch(/none at all/);
  });

  it("are none, and it is said why, where a feature is missing", () => {
    const without = (name: string) => of([SQUARE], { features: FEATURES.filter((each) => each !== name) });
    expect(without("subgroups")).toMatch(/no subgroups/);
    expect(without("chromium-experimental-subgroup-matrix")).toMatch(/chromium-experimental-subgroup-matrix/);
    expect(without("shader-f16")).toMatch(/f16 into f32 16×16×16$/);
  });

  it.each([
    ["AMD", SQUARE, [32, 64], 32],
    ["Intel, 8 lanes", config("f16", "f32", 8, 16, 16), [8, 32], 8],
    ["Intel, 16 lanes", config("f16", "f32", 8, 16, 16), [16, 32], 16],
  ] as const)("ask for the smallest subgroups where there are several sizes: %s", (_, each, lanes, asked) => {
    const matrix = of([each], { features: CONTROL, lanes }) as SubgroupMatrix;
    expect(matrix).toMatchObject({ lanes: asked, asksForLanes: true, workgroupMultiple: asked });
    expect(describeMatrix(matrix)).toBe(
      `f16 into f32 ${each.M}×${each.N}×${each.K}, in subgroups of ${asked} that kernels ask for`,
    );
  });

  it("leave the size of the subgroups to a dispatch where kernels cannot ask for one", () => {
    expect(of(APPLE, { lanes: [4, 64] })).toMatchObject({
      ...{ lanes: 0, asksForLanes: false, workgroupMultiple: 64 },
    });
  });
});
