/** @file The programs of a run on adapters that are not here; `*.slow.test.ts` has every encoder, size and tile. */
import { describe, expect, it } from "vitest";
import { tileCandidates } from "../../../src/kernels/conv2d/tiles.ts";
import type { Tile } from "../../../src/kernels/tiling.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import { relu } from "../../../src/graph/ops/relu.ts";
import { plan } from "../../../src/graph/plan.ts";
import type { StepSpec } from "../../../src/train/phase/programs.ts";
import { exceededLimits } from "../../helpers/exceeded-limits.ts";
import { apple, phone, PRETENDED_ADAPTERS, pretendedGpu } from "../../helpers/pretended-adapters.ts";
import { articleStep, planOn, precisionsOf } from "./plan-on.ts";

const named = PRETENDED_ADAPTERS.map((adapter) => [adapter.name, adapter] as const);

describe.each(named)("the article's batch on %s", (_, adapter) => {
  const precision = precisionsOf(adapter).at(-1)!;

  it("is fine-tuned on and evaluated within every limit", () => {
    const spec = { ...articleStep, precision };
    for (const program of ["finetune", "evaluation"] as const)
      expect(exceededLimits(planOn(adapter, program, spec), adapter)).toEqual([]);
  });

  it("stays within them with the largest tiles that tuning may choose", () => {
    const target = kernelTarget(pretendedGpu(adapter));
    const memory = ({ rows, columns, steps = 1 }: Tile): number => rows * columns + (rows + columns) * steps;
    const spec = { ...articleStep, batchSize: 8, precision };
    const planned = planOn(adapter, "frozen", spec, (request) =>
      tileCandidates(target, request).reduce((a, b) => (memory(b) > memory(a) ? b : a)),
    );
    expect(exceededLimits(planned, adapter)).toEqual([]);
  });
});

describe("large photos within a phone's limits", () => {
  // The bottlenecks of a block side by side would be more than it can bind, or hold, at once; each alone is not.
  it.each([
    ["one of 1024²", 1, 1024],
    ["ninety of 128²", 90, 128],
  ])("%s", (_, batchSize, imageSize) => {
    const spec = { ...articleStep, batchSize, imageSize, classes: 3 };
    expect(exceededLimits(planOn(phone, "finetune", spec), phone)).toEqual([]);
  });

  it("one of 1536² in half precision, whose sums of gradients are not", () => {
    const halved = { ...phone, features: new Set(["shader-f16"]) };
    const spec: StepSpec = {
      ...articleStep,
      ...{ batchSize: 1, imageSize: 1536, classes: 3, precision: "f16" },
    };
    expect(exceededLimits(planOn(halved, "finetune", spec), halved)).toEqual([]);
  });
});

it("bindings begin where a vec4 may, on adapters that let them begin at any fourth byte", () => {
  const small = { ...apple, limits: { ...apple.limits, maxStorageBufferBindingSize: 900 } };
  // 132 bytes an item: at every sixth, as many as can be bound, none may begin; at every fourth one may.
  const y = relu(new Graph().input("x", [10, 33]));
  const planned = plan({ outputs: { y } }, kernelTarget(pretendedGpu(small)));
  expect(planned.dispatches.map(({ bindings }) => bindings[0].offset)).toEqual([0, 528, 1056]);
  expect(exceededLimits(planned, small)).toEqual([]);
});
