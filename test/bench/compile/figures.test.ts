import { describe, expect, it } from "vitest";
import { boundsOf } from "../../../bench/compile/bounds-file.ts";
import { FAMILIES, peakTeraflops } from "../../../bench/compile/families.ts";
import { figuresOf } from "../../../bench/compile/figures.ts";
import type { LabRow } from "../../../bench/compile/figures.ts";
import type { LabPipeline, PipelineRecord } from "../../../bench/compile/task.ts";

const product: LabPipeline = {
  ...{ label: "conv2d_forward", product: null, flops: [1e9], dispatches: [1], wgsl: "", record: null },
};

/** A kernel whose only loop has these lines. */
const record = (lines: readonly string[], subgroupSize = 64): PipelineRecord => ({
  subgroupSize,
  statistics: {
    ...{ VGPRs: 96, "Spilled VGPRs": 0, "Spilled SGPRs": 2, "LDS size": 8192, "Subgroups per SIMD": 12 },
  },
  assembly: ["BB1:", ...lines.map((line) => `\t${line}`), "\ts_cbranch_scc1 BB1"].join("\n"),
});

const repeat = (count: number, line: string): string[] => Array<string>(count).fill(line);
const FMAC = "v_fmac_f32_e32 v1, v2, v3";
const LOAD = "ds_load_b128 v[4:7], v1";

describe("figures of a pipeline", () => {
  it("are those of the driver, and the share of a SIMD's slots in subgroups of either size", () => {
    expect(figuresOf(product, record([FMAC]), FAMILIES.navi31)).toMatchObject({
      ...{ vgprs: 96, spills: 0, scalarSpills: 2, ldsBytes: 8192, subgroups: 12, occupancy: 12 / 32 },
    });
    expect(figuresOf(product, record([FMAC], 32), FAMILIES.navi31).occupancy).toBe(12 / 16);
    expect(figuresOf({ ...product, flops: [0] }, record([FMAC]), FAMILIES.navi31).loop).toBeNull();
  });

  it("bound a loop by its vector instructions", () => {
    const { loop } = figuresOf(
      product,
      record([...repeat(60, FMAC), ...repeat(20, "v_add_nc_u32_e32 v9, 4, v9")]),
      FAMILIES.navi31,
    );
    // 60 clocks at the peak; the additions take two each.
    expect(loop).toMatchObject({ fmaInstructions: 60, fmasPerLane: 60, issueBound: 0.6, bound: 0.6 });
    expect(loop!.ldsBound).toBe(1);
  });

  it("bound a loop by workgroup memory: less on a card with slower arithmetic", () => {
    // Eight loads of 1 KiB at 64 bytes a clock: 128 clocks, beside 64 multiply-adds.
    const lines = [...repeat(64, FMAC), ...repeat(8, LOAD)];
    expect(figuresOf(product, record(lines), FAMILIES.navi31).loop).toMatchObject({
      ...{ ldsBytesPerFma: 2, issueBound: 1, ldsBound: 0.5, bound: 0.5 },
    });
    expect(figuresOf(product, record(lines), FAMILIES.navi21).loop!.bound).toBe(1);
  });

  it("count what fills a slab once for all turns of the loop over its steps", () => {
    // 64×64 sums of 16 steps by 64 invocations: 1,024 multiply-adds, of which a turn of the inner loop makes 64.
    const pipeline: LabPipeline = {
      ...product,
      product: { family: "workgroup", tile: { rows: 64, columns: 64, steps: 16 } },
      wgsl: "@compute @workgroup_size(64) fn main() {}",
    };
    const lines = (filling: number): PipelineRecord => {
      const inner = ["BB2:", ...repeat(64, `\t${FMAC}`), "\ts_cbranch_scc1 BB2"];
      const outer = [
        "BB1:",
        ...repeat(filling, "\tv_add_nc_u32_e32 v9, 4, v9"),
        ...inner,
        "BB3:",
        "\ts_branch BB1",
      ];
      return { ...record([]), assembly: outer.join("\n") };
    };
    expect(figuresOf(pipeline, lines(512), FAMILIES.navi31).loop).toMatchObject({
      ...{ fmasPerLane: 1024, fmaInstructions: 1024, issueBound: 0.5, bound: 0.5 },
    });
    expect(figuresOf(pipeline, lines(0), FAMILIES.navi31).loop!.bound).toBe(1);
  });

  it("measure matrix instructions against the peak of matrices", () => {
    const wmma = "v_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]";
    const { loop } = figuresOf(
      product,
      record([wmma, ...repeat(32, "v_add_nc_u32_e32 v9, 4, v9")], 32),
      FAMILIES.navi31,
    );
    expect(loop).toMatchObject({ matrix: true, fmasPerLane: 128, bound: 0.5 });
  });

  it("say that a driver tells too little", () => {
    const { statistics, ...rest } = record([FMAC]);
    const fewer = Object.entries(statistics).filter(([name]) => name !== "VGPRs");
    const poor = { ...rest, statistics: Object.fromEntries(fewer) };
    expect(() => figuresOf(product, poor, FAMILIES.navi31)).toThrow(
      'the driver has no statistic "VGPRs": use Mesa 24.1 or newer.',
    );
  });
});

it("bounds of a kernel are weighed by the time that its pipelines take", () => {
  const row = (flops: number, lines: readonly string[]): LabRow => {
    const pipeline = { ...product, flops: [flops] };
    return { pipeline, cards: "amd-rdna", figures: figuresOf(pipeline, record(lines), FAMILIES.navi31) };
  };
  const half = [...repeat(64, FMAC), ...repeat(8, LOAD)];
  expect(boundsOf([row(1e9, half), row(1e9, [FMAC])])).toEqual({ conv2d_forward: 0.667 });
  expect(boundsOf([row(0, half)])).toEqual({});
});

it("the cards' peaks are those of their maker", () => {
  const peak = (family: string, matrix: boolean): string =>
    peakTeraflops(FAMILIES[family], matrix).toFixed(1);
  expect([peak("navi31", false), peak("navi31", true)]).toEqual(["61.4", "122.9"]);
  expect([peak("navi21", false), peak("vega10", false)]).toEqual(["23.0", "12.7"]);
  expect([peak("gfx1201", false), peak("gfx1201", true)]).toEqual(["48.7", "194.6"]);
});
