import { describe, expect, it } from "vitest";
import { u32 } from "../../../src/kernels/kernel.ts";
import type { Kernel, KernelTarget } from "../../../src/kernels/kernel.ts";
import { partialsKernel } from "../../../src/kernels/text/partials.ts";
import { expectClose } from "../../helpers/close.ts";
import { FAMILIES, targetFor } from "../../helpers/families.ts";
import { runKernels, useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { paperTarget } from "../../helpers/target.ts";
import { numbers } from "../conv2d/reference.ts";

compileQuickly({ wide: true });
const gpu = useGpu();

/** Sums `x` `[partials, 4·quads]` over the partials, twice, and counts who writes. */
const sumTwice = (target: KernelTarget, quads: number, partialCount: number): Kernel =>
  partialsKernel(target, quads, {
    label: "sum_twice",
    read: { x: "array<vec4f>" },
    write: { sum: "array<vec4f>", again: "array<vec4f>", writers: "array<atomic<u32>>" },
    params: { partialCount: u32(partialCount), quads: u32(quads) },
    body: ({ eachPartial, total }) => /* wgsl */ `
  var one = vec4f();
  var two = vec4f();
  ${eachPartial("params.partialCount", "one += load_x(partialIndex * params.quads + quad); two += vec4f(1.0);")}
  ${total("one")}
  ${total("two")}
  if (writer) { store_sum(quad, one); store_again(quad, two); atomicAdd(&writers[quad], 1u); }`,
  });

describe.each(Object.entries(FAMILIES))("partialsKernel with %s", (_, adapt) => {
  it.for([1, 2, 7, 8, 9, 127, 129, 1000])("totals %i partialCount", async (partialCount, context) => {
    const target = targetFor(gpu(), adapt, context);
    const quads = 3;
    const x = numbers(partialCount * 4 * quads, partialCount);
    const buffers = { x, sum: 4 * quads, again: 4 * quads, writers: quads };
    const { sum, again, writers } = await runKernels(
      gpu(),
      [sumTwice(target, quads, partialCount)],
      buffers,
      ["sum", "again", "writers"],
    );
    const expected = new Float64Array(4 * quads);
    x.forEach((value, i) => (expected[i % expected.length] += value));
    expectClose(sum, expected);
    expect([...again]).toEqual(Array.from(again, () => partialCount));
    expect([...new Uint32Array(writers.buffer)]).toEqual([1, 1, 1]);
  });
});

describe("partialsKernel", () => {
  it("has no barrier where one would be dear, and one workgroup a quad", () => {
    const ofWorkgroups = sumTwice({ ...paperTarget, family: "workgroup" }, 5, 9);
    const ofSubgroups = sumTwice({ ...paperTarget, subgroupSize: 8 }, 5, 9);
    const alone = sumTwice(paperTarget, 5, 9);
    expect(ofWorkgroups.wgsl).toContain("workgroupBarrier");
    for (const { wgsl } of [ofSubgroups, alone]) expect(wgsl).not.toContain("Barrier");
    expect(ofSubgroups.wgsl).toContain("@workgroup_size(8)");
    expect(alone.wgsl).toContain("@workgroup_size(1)");
    expect(alone.wgsl).not.toContain("subgroup");
    for (const { workgroups } of [ofWorkgroups, ofSubgroups, alone]) expect(workgroups).toEqual([5, 1, 1]);
  });
});
