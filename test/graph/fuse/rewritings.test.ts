/** @file Which rewritings a program is given: those that its ops bring. */
import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import type { Rewriting } from "../../../src/graph/op.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { multiply } from "../../../src/graph/ops/binary.ts";
import { part } from "../../../src/graph/ops/part.ts";
import { sum } from "../../../src/graph/ops/reduce.ts";
import { relu } from "../../../src/graph/ops/relu.ts";
import { square } from "../../../src/graph/ops/unary.ts";
import { plan } from "../../../src/graph/plan.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { paperTarget } from "../../helpers/target.ts";

describe("the rewritings of a program", () => {
  /** Counts the programs that it is run for. */
  function counted(includes: readonly Rewriting[] = []): Rewriting & { runs: number } {
    const rewriting = {
      includes,
      runs: 0,
      run<T>(nodes: T): T {
        rewriting.runs += 1;
        return nodes;
      },
    };
    return rewriting;
  }

  const bringing = (x: Tensor, rewriting: Rewriting): Tensor =>
    x.graph.apply({ name: "op", outputs: [x], rewriting, lower: (l, [y]) => void l.overwrites(x, y) }, [x])
      .outputs[0];

  it("are made once each, and not by themselves where another includes them", () => {
    const stacks = counted();
    const products = counted([stacks]);
    const others = counted();
    const x = new Graph().input("x", [4]);
    const y = [stacks, products, others, products].reduce(bringing, x);
    plan({ outputs: { y } }, paperTarget);
    expect([stacks.runs, products.runs, others.runs]).toEqual([0, 1, 1]);
    plan({ outputs: { y: bringing(x, stacks) } }, paperTarget);
    plan({ outputs: { y }, fuse: false }, paperTarget);
    expect([stacks.runs, products.runs, others.runs]).toEqual([1, 1, 1]);
  });

  it("leave a gradient in its stack without a convolution too", () => {
    const graph = new Graph();
    const parts = ["a", "b"].map((name) => ({ name, shape: [300], initializer: zeros }));
    const stack = graph.stackedParameter("stack", parts);
    const [x, y] = ["x", "y"].map((name) => graph.input(name, [300]));
    const loss = sum(multiply(square(multiply(part(stack, "a"), x)), multiply(part(stack, "b"), y)));
    const gradient = gradients(loss).get(stack)!;
    const kernels = (fuse: boolean): string[] =>
      plan({ outputs: { gradient }, fuse }, paperTarget).dispatches.map(({ kernel }) => kernel.label);
    expect(kernels(false).filter((label) => label === "copy").length).toBeGreaterThan(0);
    expect(kernels(true)).not.toContain("copy");
  });

  it("join a convolution with what follows it", () => {
    const graph = new Graph();
    const kernel = graph.parameter("kernel", [1, 1, 4, 4], zeros);
    const conv = (x: Tensor): Tensor => conv2d(x, kernel, { strides: 1, padding: "valid" });
    const { dispatches } = plan(
      { outputs: { y: conv(relu(conv(graph.input("x", [1, 2, 2, 4])))) } },
      paperTarget,
    );
    expect(dispatches.length).toBe(2);
  });
});
