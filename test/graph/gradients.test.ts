import { describe, expect, it } from "vitest";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { zeros } from "../../src/graph/initializers.ts";
import type { Op } from "../../src/graph/op.ts";
import { add } from "../../src/graph/ops/add.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { plan } from "../../src/graph/plan.ts";
import { paperTarget } from "../helpers/target.ts";

/** A scalar from any tensor, whose gradient is whatever `gradient` makes. */
function collapse(x: Tensor, gradient: () => Tensor): Tensor {
  const op: Op = {
    name: "collapse",
    outputs: [{ shape: [], dtype: "f32" }],
    lower: () => {},
    gradient: () => [gradient],
  };
  return x.graph.apply(op, [x]).outputs[0];
}

describe("gradients", () => {
  it("throws when a gradient has not its input's shape", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3]);
    const loss = collapse(x, () => graph.input("wrong", [3, 2]));
    expect(() => gradients(loss, [x])).toThrow(
      'the gradient of input 0 ("x") is [3, 2] and the input [2, 3]',
    );
  });

  it("throws when the loss is no scalar or depends on nothing asked for", () => {
    const graph = new Graph();
    const x = graph.input("x", [2]);
    expect(() => gradients(x, [x])).toThrow('The loss must be a scalar; "x" is [2].');
    const loss = collapse(x, () => x);
    expect(() => gradients(loss)).toThrow("does not depend on any of the tensors asked for");
  });

  it("adds up what several consumers contribute", () => {
    const graph = new Graph();
    const x = graph.input("x", []);
    const dx = gradients(add(add(x, x), x), [x]).get(x)!;
    expect(dx.node?.op.name).toBe("add");
  });

  it("builds nothing behind a frozen parameter", () => {
    const build = (trainable: boolean): number => {
      const graph = new Graph();
      const frozen = graph.parameter("encoder", [], zeros, { trainable });
      const learned = graph.parameter("decoder", [], zeros);
      const loss = add(relu(relu(relu(frozen))), learned);
      const found = gradients(loss);
      expect([...found.keys()].map(({ name }) => name)).toEqual(
        trainable ? ["encoder", "decoder"] : ["decoder"],
      );
      return graph.nodes.filter(({ op }) => op.name === "relu_gradient").length;
    };
    expect(build(true)).toBe(3);
    expect(build(false)).toBe(0);
  });

  it("refuses a variable asked for with another shape or role", () => {
    const graph = new Graph();
    const w = graph.parameter("w", [2], zeros);
    expect(graph.parameter("w", [2], zeros)).toBe(w);
    expect(() => graph.parameter("w", [3], zeros)).toThrow('The variable "w" exists as parameter [2]');
    expect(() => graph.state("w", [2], zeros)).toThrow("was asked for as state [2]");
  });

  it("gives a plan in which every gradient can be computed", () => {
    const graph = new Graph();
    const x = graph.input("x", []);
    const y = add(relu(x), x);
    const planned = plan({ outputs: { y, dx: gradients(y, [x]).get(x)! } }, paperTarget);
    expect(planned.dispatches.map(({ node }) => node.op.name)).toEqual([
      "relu",
      "add",
      "fill",
      "relu_gradient",
      "add",
    ]);
  });
});
