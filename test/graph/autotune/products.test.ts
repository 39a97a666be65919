import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { relu } from "../../../src/graph/ops/relu.ts";
import { sparseSoftmaxCrossEntropy } from "../../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import type { Goals } from "../../../src/graph/plan.ts";
import { productGroups } from "../../../src/graph/autotune/products.ts";
import { sameTile, tileCandidates } from "../../../src/kernels/conv2d/tiles.ts";
import type { KernelTarget } from "../../../src/kernels/kernel.ts";
import { paperGpu, paperTarget } from "../../helpers/target.ts";

/** Two convolutions of near depths and one of another kind, and their gradients, of images stored so. */
function goals(dtype: "f32" | "f16"): Goals {
  const graph = new Graph();
  const convolve = (x: Tensor, name: string, size: number, filters: number): Tensor => {
    const kernel = graph.parameter(name, [size, size, x.shape[3], filters], zeros);
    return conv2d(x, kernel, { strides: 1, padding: "same" });
  };
  const x = convolve(cast(graph.input("x", [8, 64, 64, 36]), dtype), "first", 1, 60);
  const logits = convolve(relu(convolve(relu(x), "second", 1, 40)), "third", 3, 5);
  const loss = sparseSoftmaxCrossEntropy(logits, graph.input("labels", [8, 64, 64], "u32"));
  const slopes = gradients(loss);
  return { outputs: { loss, ...Object.fromEntries([...slopes].map(([{ name }, slope]) => [name, slope])) } };
}

const ADAPTERS: Record<string, KernelTarget> = {
  register: { ...paperTarget, subgroupSize: 8, family: "register" },
  workgroup: { ...paperTarget, subgroupSize: 8, family: "workgroup" },
  matrix: paperGpu,
};

describe.each(Object.entries(ADAPTERS))("productGroups of %s tiles", (family, target) => {
  const dtype = family === "matrix" ? "f16" : "f32";

  it("finds every product, and its work in every tile", () => {
    const groups = productGroups([goals(dtype)], target);
    // Forward 3, by data 2 and by weights 3; the first two forward are near.
    expect(groups.reduce((sum, { uses }) => sum + uses, 0)).toBe(8);
    expect(groups.map(({ uses }) => uses).sort()).toContain(2);
    for (const { candidates } of groups) {
      const { request } = candidates[0].work[0].kernel.tiling!;
      expect(request.family).toBe(family);
      const tiles = tileCandidates(target, request);
      expect(candidates.map(({ tile }) => tile)).toEqual(tiles);
      for (const { tile, work } of candidates) {
        const { tiling } = work[0].kernel;
        expect(tiling!.request).toEqual(request);
        expect(sameTile(tiling!.tile, tile)).toBe(true);
      }
    }
  });

  it("lets the largest product stand for its group", () => {
    const groups = productGroups([goals(dtype)], target);
    const { candidates } = groups.find(({ uses }) => uses === 2)!;
    const { columns, depth } = candidates[0].work[0].kernel.tiling!.request;
    expect([depth, columns]).toEqual([60, 40]);
  });

  it("takes along what merges the partial sums", () => {
    const groups = productGroups([goals(dtype)], target);
    const labels = groups.flatMap(({ candidates }) =>
      candidates.map(({ work }) => work.map(({ kernel }) => kernel.label).join()),
    );
    expect(labels).toContain("conv2d_backward_weights,conv2d_sum_partials");
    expect(labels).toContain("conv2d_forward");
    expect(labels.filter((label) => label.startsWith("conv2d_forward,"))).toEqual([]);
  });

  it("looks only for what is wanted", () => {
    const [{ name }] = productGroups([goals(dtype)], target);
    expect(productGroups([goals(dtype)], target, (one) => one === name).map((group) => group.name)).toEqual([
      name,
    ]);
    expect(productGroups([goals(dtype)], target, () => false)).toEqual([]);
  });
});
