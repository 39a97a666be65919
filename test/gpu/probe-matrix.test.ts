import { describe, expect, it } from "vitest";
import { expected, judge, probeMatrix } from "../../src/gpu/probe-matrix.ts";
import type { SubgroupMatrix } from "../../src/gpu/subgroup-matrix.ts";
import { useGpu } from "../helpers/gpu.ts";
import { paperGpu } from "../helpers/target.ts";

const LARGE = paperGpu.subgroupMatrix!;
const APPLE: SubgroupMatrix = {
  component: "f32",
  ...{ rows: 8, columns: 8, depth: 8 },
  ...{ lanes: 0, asksForLanes: false, workgroupMultiple: 64 },
};
const RAN = 0x5eed;

/** What a device leaves whose workgroup had so many subgroups. */
function left(matrix: SubgroupMatrix, subgroups: number, ran = RAN): ArrayBuffer {
  const { rows, columns } = matrix;
  const buffer = new ArrayBuffer(8 + 4 * 16 * rows * columns);
  new Uint32Array(buffer).set([ran, subgroups - 1]);
  const sums = new Float32Array(buffer, 8);
  for (let i = 0; i < subgroups * rows * columns; i++)
    sums[i] = expected(matrix, Math.floor(i / columns) % rows, i % columns);
  return buffer;
}

describe("what a trial of an adapter's matrices tells", () => {
  it("is how many lanes subgroups have, where only that was not known", () => {
    expect(judge(APPLE, left(APPLE, 2))).toEqual({ ...APPLE, lanes: 32 });
    expect(judge(APPLE, left(APPLE, 1))).toEqual({ ...APPLE, lanes: 64 });
    expect(judge(LARGE, left(LARGE, 1))).toEqual(LARGE);
  });

  it("is that subgroups are of another size than the adapter says", () => {
    expect(judge(LARGE, left(LARGE, 2))).toMatch(/16 lanes, not the 32 it says/);
    expect(judge(APPLE, left(APPLE, 3))).toMatch(/lanes, not the whole number/);
  });

  it("is which sum is wrong", () => {
    const numbers = left(LARGE, 1);
    new Float32Array(numbers, 8)[37] += 1;
    const right = expected(LARGE, 2, 5);
    expect(judge(LARGE, numbers)).toBe(`it computes them wrongly (${right + 1} for ${right})`);
    const second = left(APPLE, 2);
    new Float32Array(second, 8)[64 + 9] = 0.5;
    expect(judge(APPLE, second)).toMatch(/wrongly \(0.5 for/);
  });

  it("is that nothing ran", () => {
    expect(judge(LARGE, left(LARGE, 1, 0))).toBe("it does not run a kernel of them");
  });
});

describe("a trial of matrices on a device", () => {
  const gpu = useGpu();
  /** A trial on the device, whose driver makes `of(wgsl)` of the kernel. */
  const probe = (of: (wgsl: string) => string, { compilesOnly = false, matrix = LARGE } = {}) => {
    const { device, pipelines, waitFor } = gpu();
    const get: typeof pipelines.get = (source) => pipelines.get({ ...source, wgsl: of(source.wgsl) });
    return probeMatrix({ device, pipelines: { get }, waitFor, compilesOnly }, matrix);
  };

  it("passes one that computes them", async () => {
    expect(await probe(emulated)).toEqual(LARGE);
  });

  it("does not pass one that computes something else", async () => {
    expect(await probe((wgsl) => emulated(wgsl).replace("sum += ", "sum -= "))).toMatch(/wrongly/);
  });

  it("says what a driver that refuses them says", async () => {
    expect(await probe((wgsl) => wgsl.replace("fn main", "fn other"))).toMatch(/^its driver refuses them \(/);
    expect(await probe((wgsl) => `${wgsl} no`)).toMatch(/^its driver refuses them \(/);
    await gpu().idle();
  });

  it("ends with the compiler where there is no card", async () => {
    const wrong = (wgsl: string): string => emulated(wgsl).replace("sum += ", "sum -= ");
    expect(await probe(wrong, { compilesOnly: true })).toEqual(LARGE);
    const unknown = { ...LARGE, lanes: 0 };
    expect(await probe(wrong, { compilesOnly: true, matrix: unknown })).toMatch(/only a dispatch tells/);
  });

  /** The probe in plain WGSL, for one subgroup. */
  const emulated = (wgsl: string): string =>
    wgsl
      .replace(/^enable.*\n/, "enable f16;\n")
      .replace(", @builtin(subgroup_id) subgroup: u32", "")
      .replace(
        /let left = [^]*?subgroupMatrixStore.*\n/,
        `let subgroup = 0u;
  for (var i = local; i < 256u; i += 32u) {
    var sum = 0.0;
    for (var k = 0u; k < 16u; k++) { sum += f32(leftTile[i / 16u * 16u + k]) * f32(rightTile[k * 16u + i % 16u]); }
    found.products[i] = sum;
  }
`,
      );
});
