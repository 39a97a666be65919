import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { describeMemoryPlan, liveBytes } from "../../src/graph/memory-plan.ts";
import { add } from "../../src/graph/ops/add.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { plan } from "../../src/graph/plan.ts";
import { defineKernel } from "../../src/kernels/kernel.ts";
import { trainingStep } from "../../src/train/phase/programs.ts";
import { paperTarget } from "../helpers/target.ts";

describe("describeMemoryPlan", () => {
  it("tells who lies in which block, and when", () => {
    const graph = new Graph();
    const a = relu(graph.input("x", [8, 100]));
    const b = relu(a);
    const c = relu(b);
    const y = relu(c);
    const described = describeMemoryPlan(plan({ outputs: { y }, fuse: false }, paperTarget));
    const relu3200 = { op: "relu", family: "elementwise", backward: false, bytes: 3200 };
    expect(described).toEqual({
      dispatches: 4,
      arenaBytes: 6400,
      inputBytes: 3200,
      variableBytes: 0,
      peakBytes: 9600,
      unsharedBytes: 12800,
      liveBytes: 6400,
      blocks: [
        {
          bytes: 3200,
          tenants: [
            { ...relu3200, name: a.name, first: 0, last: 1 },
            { ...relu3200, name: c.name, first: 2, last: 3 },
          ],
        },
        {
          bytes: 3200,
          tenants: [
            { ...relu3200, name: b.name, first: 1, last: 2 },
            // An output: kept until it has been read.
            { ...relu3200, name: y.name, first: 3, last: 4 },
          ],
        },
      ],
    });
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
  });

  it("names scratch buffers after the op that uses them", () => {
    const graph = new Graph();
    const x = graph.input("x", [4]);
    const { outputs } = graph.apply(
      {
        name: "with_scratch",
        outputs: [x],
        lower(lowering, [y]) {
          const scratch = lowering.scratch(64);
          const write = { a: "array<f32>", b: "array<f32>" };
          const kernel = defineKernel({ label: "k", read: {}, write, workgroups: [1, 1, 1], body: "" });
          lowering.dispatch(kernel, { a: scratch, b: y });
        },
      },
      [x],
    );
    const { blocks } = describeMemoryPlan(plan({ outputs: { y: outputs[0] } }, paperTarget));
    expect(blocks[0].tenants).toEqual([
      {
        ...{ name: "scratch 0", op: "with_scratch", family: "other", backward: false },
        ...{ bytes: 64, first: 0, last: 0 },
      },
    ]);
  });

  it("knows the family of every op of a training step, and those of the backward pass", () => {
    const spec = { batchSize: 1, imageSize: 32, classes: 3, momentum: 0.9, clipNorm: 1, weighted: false };
    for (const each of [
      { ...spec, optimizer: "adam", precision: "f16", decoder: "nearest" },
      { ...spec, optimizer: "rmsprop" },
    ] as const) {
      const { blocks } = describeMemoryPlan(plan(trainingStep(each, "finetune"), paperTarget));
      const tenants = blocks.flatMap((block) => block.tenants);
      expect(tenants.filter(({ family }) => family === "other")).toEqual([]);
      const familiesOf = (pass: boolean) =>
        new Set(tenants.filter(({ backward }) => backward === pass).map(({ family }) => family));
      for (const family of ["convolution", "normalization", "pooling"] as const)
        expect([familiesOf(false).has(family), familiesOf(true).has(family)]).toEqual([true, true]);
      expect(familiesOf(false)).toContain("optimizer");
      for (const { op, backward } of tenants)
        if (/_gradient/.test(op)) expect([op, backward]).toEqual([op, true]);
    }
  });

  it("keeps the books: nothing overlaps, everything fits, the arena is at least what lives (any graph)", () => {
    const choice = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(choice, (steps) => {
        const graph = new Graph();
        const tensors: Tensor[] = [graph.input("x", [3, 5])];
        for (const [i, j, sum] of steps) {
          const left = tensors[i % tensors.length];
          tensors.push(sum ? add(left, tensors[j % tensors.length]) : relu(left));
        }
        const described = describeMemoryPlan(plan({ outputs: { last: tensors.at(-1)! } }, paperTarget));
        for (const { bytes, tenants } of described.blocks) {
          expect(Math.max(...tenants.map((tenant) => tenant.bytes))).toBe(bytes);
          for (let i = 1; i < tenants.length; i++)
            expect(tenants[i].first).toBeGreaterThan(tenants[i - 1].last);
        }
        expect(described.arenaBytes).toBeGreaterThanOrEqual(described.liveBytes);
        expect(described.unsharedBytes).toBeGreaterThanOrEqual(described.arenaBytes);
      }),
      { numRuns: 100 },
    );
  });
});

describe("liveBytes", () => {
  it("sums what lives at each dispatch", () => {
    const lives = [
      { bytes: 10, first: 0, last: 1 },
      { bytes: 5, first: 1, last: 3 },
    ];
    expect(liveBytes(lives, 3)).toEqual([10, 15, 5]);
  });
});
