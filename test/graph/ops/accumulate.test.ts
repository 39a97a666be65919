import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { accumulate, clear } from "../../../src/graph/ops/accumulate.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

/** Sums by shape, and the two programs over them. */
function build(shapes: readonly Shape[]) {
  const graph = new Graph();
  const share = graph.input("share", []);
  const sums = shapes.map((shape, i) => graph.state(`sum${i}`, shape, zeros));
  const terms = new Map(sums.map((sum, i) => [sum, graph.input(`x${i}`, sum.shape)]));
  return { add: accumulate(terms, share), reset: clear(sums) };
}

const SHAPES: readonly Shape[] = [[5], [], [4, 8], [3, 3, 2, 4], [7, 3], [64], [1], [2, 2], [12], [33]];

describe("accumulate", () => {
  const gpu = useGpu();

  it.each([undefined, 256])(
    "adds shares to variables, whole or in pieces, and clears them (%s)",
    async (maxBindingBytes) => {
      const shapes = maxBindingBytes ? [...SHAPES, [70, 4]] : SHAPES;
      const { add, reset } = build(shapes);
      const variables = new Variables(gpu());
      const adding = await compile(gpu(), { outputs: {}, updates: [add], variables, maxBindingBytes });
      const clearing = await compile(gpu(), { outputs: {}, updates: [reset], variables, maxBindingBytes });
      const batches = [1, 2, 3].map((seed) =>
        shapes.map((shape, i) => randomInput(shape, 10 * seed + i).data),
      );
      const shares = [0.25, 0.5, -2];
      for (const [k, batch] of batches.entries()) {
        const terms = Object.fromEntries(batch.map((data, i) => [`x${i}`, data]));
        await adding.run({ share: Float32Array.of(shares[k]), ...terms });
      }
      for (const i of shapes.keys()) {
        const expected = batches[0][i].map((_, at) =>
          batches.reduce((sum, batch, k) => sum + shares[k] * batch[i][at], 0),
        );
        expectClose(await variables.read(`sum${i}`), expected, 1e-6);
      }
      await clearing.run({});
      for (const [i, shape] of shapes.entries()) {
        const length = shape.reduce((a, b) => a * b, 1);
        expect(await variables.read(`sum${i}`)).toEqual(new Float32Array(length));
      }
      for (const thing of [adding, clearing, variables]) thing.destroy();
    },
  );

  it("takes few dispatches for many variables", () => {
    const shapes = Array.from({ length: 364 }, (_, i) => (i % 3 === 0 ? [3, 3, 128, 32] : [128]));
    const { add, reset } = build(shapes);
    expect(plan({ outputs: {}, updates: [add] }, paperTarget).summary.dispatches).toBe(122);
    expect(plan({ outputs: {}, updates: [reset] }, paperTarget).summary.dispatches).toBe(46);
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const share = graph.input("share", []);
    const [x, sum] = [graph.input("x", [2]), graph.state("sum", [3], zeros)];
    expect(() => accumulate(new Map([[x, x]]), share)).toThrow('accumulate: "x" is not a variable.');
    expect(() => accumulate(new Map([[sum, x]]), share)).toThrow('"sum" is [3] and what is added to it [2].');
    expect(() => accumulate(new Map(), x)).toThrow('the share must be a scalar; "x" is [2]');
    expect(() => clear([])).toThrow("clear takes one variable or more");
    expect(() => clear([x])).toThrow('clear: "x" is not a variable.');
  });
});
