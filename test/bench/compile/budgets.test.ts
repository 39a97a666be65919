import { describe, expect, it } from "vitest";
import { EXCEPTIONS, needless, violation } from "../../../bench/compile/budgets.ts";
import type { Figures, LabRow } from "../../../bench/compile/figures.ts";

const row = (
  figures: Partial<Figures> | null,
  pipeline: Partial<LabRow["pipeline"]> = {},
  cards: LabRow["cards"] = "amd-rdna",
): LabRow => ({
  cards,
  pipeline: {
    ...{ label: "add", product: null, flops: [0], dispatches: [1], wgsl: "", record: null },
    ...{ problem: "no registers left", ...pipeline },
  },
  figures: figures && {
    ...{ subgroupSize: 64, vgprs: 24, spills: 0, scalarSpills: 0, ldsBytes: 0 },
    ...{ subgroups: 32, occupancy: 1, loop: null, ...figures },
  },
});

const product = {
  label: "conv2d_forward",
  product: { family: "workgroup", tile: { rows: 64, columns: 64, steps: 16 } },
} as const;

describe("budgets", () => {
  it("are kept by what compiles, spills nothing and leaves half of the slots to others", () => {
    expect(violation(row({}))).toBeNull();
    expect(violation(row({ subgroups: 16, occupancy: 0.5 }))).toBeNull();
  });

  it("are broken by what does not", () => {
    expect(violation(row(null))).toBe("does not compile: no registers left");
    expect(violation(row({ spills: 3 }))).toBe("spills 3 vector registers to memory");
    expect(violation(row({ scalarSpills: 3 }))).toBe("spills 3 scalar registers");
    expect(violation(row({ subgroups: 12, occupancy: 0.375, vgprs: 96 }))).toBe(
      "leaves a SIMD 12 subgroups, 38 % of its slots, where at least 50 % are asked for (96 VGPRs, 0 bytes of workgroup memory)",
    );
  });

  it("make an exception of what is listed, and only so far", () => {
    expect(violation(row({ subgroups: 8, occupancy: 0.25 }, product))).toBeNull();
    expect(violation(row({ subgroups: 2, occupancy: 2 / 32 }, product))).toContain("at least 13 %");
    expect(violation(row({ spills: 1 }, product))).toContain("spills 1");
  });

  it("make an exception of one family of cards alone", () => {
    const alone = { subgroups: 1, occupancy: 1 / 10, vgprs: 168 };
    expect(violation(row(alone, product, "amd-gcn"))).toBeNull();
    expect(violation(row(alone, product, "amd-rdna"))).toContain("at least 13 %");
    expect(violation(row(alone, {}, "amd-gcn"))).toContain("at least 50 %");
  });

  it("find an exception that nothing needs", () => {
    expect(needless([row({})])).toEqual([]);
    expect(needless([row({}, product)])).toEqual(EXCEPTIONS.filter((each) => each.product === "workgroup"));
    expect(needless([row({}, product), row({ subgroups: 8, occupancy: 0.25 }, product)])).toEqual([]);
    const broken = row({ subgroups: 2, occupancy: 1 / 16 }, { label: "softmax_cross_entropy_with_gradient" });
    expect(needless([broken, row({ scalarSpills: 22 }, broken.pipeline)])).toEqual([]);
  });

  it("give a reason for every exception", () => {
    for (const { reason } of EXCEPTIONS) expect(reason.split(" ").length).toBeGreaterThan(8);
  });
});
