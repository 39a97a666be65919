import { describe, expect, it } from "vitest";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { zeros } from "../../src/graph/initializers.ts";
import type { Op } from "../../src/graph/op.ts";
import { add } from "../../src/graph/ops/add.ts";
import { argmax } from "../../src/graph/ops/argmax.ts";
import { batchNormInference } from "../../src/graph/ops/batch-norm.ts";
import { clipByGlobalNorm } from "../../src/graph/ops/clip-by-global-norm.ts";
import { channelMoments } from "../../src/graph/ops/moments.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { scale } from "../../src/graph/ops/scale.ts";
import { sparseSoftmaxCrossEntropy } from "../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { stopGradient } from "../../src/graph/ops/stop-gradient.ts";
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
  it("throws when a gradient does not have its input's shape", () => {
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
    const outputs = { y, dx: gradients(y, [x]).get(x)! };
    const planned = plan({ outputs, fuse: false }, paperTarget);
    expect(planned.dispatches.map(({ node }) => node.op.name)).toEqual([
      "relu",
      "add",
      "fill",
      "relu_gradient",
      "add",
    ]);
  });

  it("throws at an op without a gradient between a parameter and the loss", () => {
    const graph = new Graph();
    const w = graph.parameter("w", [2], zeros);
    const other = graph.parameter("other", [], zeros);
    const blind: Op = { name: "blind", outputs: [{ shape: [], dtype: "f32" }], lower: () => {} };
    const [penalty] = graph.apply(blind, [relu(w)]).outputs;
    expect(() => gradients(add(other, scale(penalty, 1e-2)))).toThrow(
      /^blind \("blind_1"\) has no gradient by its input "relu_0" and lies on the way from "w" to the loss "add_3": .*stopGradient/,
    );
    // Not on the way to this loss.
    expect([...gradients(relu(other)).keys()]).toEqual([other]);
    // Nor to what is not asked for.
    expect([...gradients(add(other, penalty), [other]).keys()]).toEqual([other]);
  });

  it("throws at an input without a gradient, and at one that was forgotten", () => {
    const graph = new Graph();
    const w = graph.parameter("w", [], zeros);
    const x = graph.parameter("x", [], zeros);
    const lame = (gradient: Op["gradient"]): Tensor =>
      graph.apply({ name: "lame", outputs: [w], lower: () => {}, gradient }, [x, w]).outputs[0];
    const message =
      /^lame \("lame_\d"\) has no gradient by its input "w" and lies on the way to the loss "lame_\d":/;
    expect(() => gradients(lame(([dy]) => [() => dy!, null]))).toThrow(message);
    expect(() => gradients(lame(([dy]) => [() => dy!]))).toThrow(message);
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ["argmax", (x) => argmax(x)],
    ["clip_by_global_norm", (x) => clipByGlobalNorm(new Map([[x, x]]), 1).gradients.get(x)!],
    [
      "relu_gradient",
      (x) =>
        gradients(
          collapse(relu(x), () => x),
          [x],
        ).get(x)!,
    ],
  ])("throws at %s", (name, f) => {
    const graph = new Graph();
    const x = graph.parameter("x", [2, 3], zeros);
    const y = f(x);
    expect(() => gradients(collapse(y, () => y))).toThrow(
      `${name} ("${y.name}") has no gradient by its input`,
    );
    const stopped = add(
      collapse(stopGradient(y), () => y),
      collapse(x, () => x),
    );
    expect([...gradients(stopped).keys()]).toEqual([x]);
  });

  it("throws at what batch norm and the loss take for constants, if they depend on what is learned", () => {
    const graph = new Graph();
    const x = graph.parameter("x", [2, 3], zeros);
    const vector = graph.parameter("vector", [3], zeros);
    const labels = graph.input("labels", [2], "u32");
    const { mean, variance } = channelMoments(x);
    const norm = batchNormInference(x, vector, vector, mean, variance, { epsilon: 1e-3 });
    expect(() => gradients(sparseSoftmaxCrossEntropy(norm, labels))).toThrow(
      'batch_norm ("batch_norm_1") has no gradient by its input "moments_0:0"',
    );
    const weighted = sparseSoftmaxCrossEntropy(x, labels, { classWeights: vector });
    expect(() => gradients(weighted)).toThrow('has no gradient by its input "vector"');
    const own = sparseSoftmaxCrossEntropy(x, argmax(x));
    expect(() => gradients(own)).toThrow(
      /has no gradient by its input "argmax_\d+" and lies on the way from "x"/,
    );
    const taught = sparseSoftmaxCrossEntropy(x, stopGradient(argmax(x)));
    expect([...gradients(taught).keys()]).toEqual([x]);
  });

  it("stops at stopGradient, and says so when nothing else is left", () => {
    const graph = new Graph();
    const w = graph.parameter("w", [], zeros);
    const v = graph.parameter("v", [], zeros);
    const loss = add(relu(stopGradient(relu(w))), v);
    expect([...gradients(loss).keys()]).toEqual([v]);
    expect(() => gradients(relu(stopGradient(w)))).toThrow("does not depend on any of the tensors asked for");
    // What is stopped may itself be asked for.
    const stopped = stopGradient(w);
    expect([...gradients(relu(stopped), [w, stopped]).keys()]).toEqual([stopped]);
  });
});
