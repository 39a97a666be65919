/** @file Gradients of parts of stacks: who stores them where they belong. */
import { describe, expect, it } from "vitest";
import { plan } from "../../../src/graph/plan.ts";
import { paperTarget } from "../../helpers/target.ts";
import { goalsOf } from "./random-graph.ts";
import type { Step } from "./random-graph.ts";

const conv = { kind: "conv", from: 0, size: 1, strides: 1, filters: 5, bias: true } as const;
const norm = { kind: "norm", from: 0, training: true, activation: "relu" } as const;

/** How often each kernel runs for the gradients of `steps`. */
function kernels(steps: readonly Step[], fuse: boolean): Record<string, number> {
  const { goals } = goalsOf({ x: [2, 4, 4, 8], steps, stacked: true, kept: [] });
  const counts: Record<string, number> = {};
  for (const { kernel } of plan({ ...goals, fuse }, paperTarget).dispatches)
    counts[kernel.label] = (counts[kernel.label] ?? 0) + 1;
  return counts;
}

describe("the gradient of a stack", () => {
  it.each<{ what: string; steps: Step[] }>([
    { what: "biases", steps: [conv, conv, conv] },
    { what: "norms with given statistics", steps: [conv, { ...norm, training: false }, conv] },
    { what: "norms of channels that do not come in fours", steps: [conv, norm, conv, norm] },
    { what: "depthwise kernels", steps: [{ kind: "depthwise", from: 0, size: 3, strides: 1 }, conv] },
  ])("is not copied together: of $what", ({ steps }) => {
    expect(kernels(steps, false).copy).toBeGreaterThan(0);
    expect(kernels(steps, true).copy).toBeUndefined();
  });

  it("is summed up in one dispatch: of biases", () => {
    expect(kernels([conv, conv, conv], true).sum_over_partials_3).toBe(1);
  });
});
