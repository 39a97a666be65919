import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import type { Node, Tensor } from "../../src/graph/graph.ts";
import { zeros } from "../../src/graph/initializers.ts";
import { accumulate } from "../../src/graph/ops/accumulate.ts";
import { add } from "../../src/graph/ops/add.ts";
import { partAt } from "../../src/graph/ops/part.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { plan } from "../../src/graph/plan.ts";
import type { Plan } from "../../src/graph/plan.ts";
import { moveTaps, partsWithin, rangesOf } from "../../src/graph/taps.ts";
import { paperTarget } from "../helpers/target.ts";

/** `x`, and what is made of it one after the other. */
function chain(length: number): { graph: Graph; xs: Tensor[]; share: Tensor } {
  const graph = new Graph();
  const xs: Tensor[] = [graph.input("x", [64])];
  for (let i = 0; i < length; i++) xs.push(relu(xs[i]));
  return { graph, xs, share: graph.input("share", []) };
}

const namesOf = ({ dispatches }: Plan): string[] => dispatches.map(({ node }) => node.op.name);

describe("taps", () => {
  it("run right behind what they read, and not at the end", () => {
    const { graph, xs, share } = chain(4);
    const tap = (i: number): Node =>
      accumulate(new Map([[graph.state(`sum${i}`, [64], zeros), xs[i]]]), share);
    const taps = { early: tap(1), late: tap(3) };
    const planned = plan({ outputs: { last: xs[4] }, taps, fuse: false }, paperTarget);
    expect(namesOf(planned)).toEqual(["relu", "accumulate", "relu", "relu", "accumulate", "relu"]);
    expect([...planned.taps].map(([name, { after }]) => [name, after])).toEqual([
      ["early", 2],
      ["late", 5],
    ]);
    const updates = Object.values(taps);
    const atEnd = plan({ outputs: { last: xs[4] }, updates, fuse: false }, paperTarget);
    expect(namesOf(atEnd)).toEqual(["relu", "relu", "relu", "relu", "accumulate", "accumulate"]);
    expect(atEnd.taps.size).toBe(0);
    expect(planned.summary.arenaBytes).toBeLessThan(atEnd.summary.arenaBytes);
  });

  it("keep their order, whatever is there first", () => {
    const { graph, xs, share } = chain(3);
    const tap = (i: number): Node =>
      accumulate(new Map([[graph.state(`sum${i}`, [64], zeros), xs[i]]]), share);
    const planned = plan(
      { outputs: { last: xs[3] }, taps: { late: tap(2), early: tap(1) }, fuse: false },
      paperTarget,
    );
    expect(namesOf(planned)).toEqual(["relu", "relu", "accumulate", "accumulate", "relu"]);
    expect([...planned.taps.keys()]).toEqual(["late", "early"]);
  });

  it("wait for all that writes to the part of a tensor that they read, and for no more", () => {
    const graph = new Graph();
    const x = graph.input("x", [64]);
    const share = graph.input("share", []);
    const both = graph.apply(
      { name: "both", outputs: [{ shape: [128], dtype: "f32" }], lower: () => undefined },
      [x],
    ).outputs[0];
    const parts = [0, 64].map((begin) => partAt(both, begin, [64]));
    const sums = parts.map((_, i) => graph.state(`sum${i}`, [64], zeros));
    const [first, second] = parts.map((part, i) => accumulate(new Map([[sums[i], part]]), share));
    const bound = (owner: Tensor, begin: number, access: "read" | "read_write") => ({
      ...{ owner, access, offset: 4 * begin, bytes: 256 },
    });
    const dispatch = (node: Node, ...bindings: ReturnType<typeof bound>[]) =>
      ({ kernel: {}, node, bindings }) as unknown as Plan["dispatches"][number];
    const dispatches = [
      dispatch(both.node!, bound(x, 0, "read"), bound(both, 0, "read_write")),
      dispatch(both.node!, bound(x, 0, "read"), bound(both, 64, "read_write")),
      dispatch(both.node!, bound(both, 0, "read")),
      dispatch(second, bound(both, 64, "read"), bound(sums[1], 0, "read_write")),
      dispatch(first, bound(both, 0, "read"), bound(sums[0], 0, "read_write")),
    ];
    const moved = moveTaps(dispatches, { first, second });
    expect(moved.dispatches.map((each) => dispatches.indexOf(each))).toEqual([0, 4, 1, 3, 2]);
    expect([...moved.taps.values()].map(({ after }) => after)).toEqual([2, 4]);
    expect(moveTaps(dispatches, {}).dispatches).toBe(dispatches);
  });

  it("refuse what updates nothing, or a part by halves", () => {
    const { graph, xs, share } = chain(1);
    const nothing = xs[1].node!;
    expect(() => plan({ outputs: { y: xs[1] }, taps: { nothing } }, paperTarget)).toThrow(
      'The tap "nothing" is no node that updates variables.',
    );
    const shape = [128];
    const stack = graph.stackedState(
      "stack",
      ["a", "b"].map((name) => ({ name, shape, initializer: zeros })),
    );
    const half = accumulate(new Map([[partAt(stack, 64, [64]), xs[1]]]), share);
    expect(() => plan({ outputs: { y: xs[1] }, taps: { half } }, paperTarget)).toThrow(
      'The tap "half" updates some of "a" and not all of it.',
    );
    expect(rangesOf({ updates: [partAt(stack, 128, [128])] })).toEqual([
      { variable: stack, begin: 128, end: 256 },
    ]);
    expect(partsWithin({ variable: stack, begin: 64, end: 256 }).map(({ name }) => name)).toEqual(["b"]);
  });

  it("never come before what they read, nor let anything else change places (any graph)", () => {
    const choice = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(choice, fc.uniqueArray(fc.nat(29), { minLength: 1, maxLength: 6 }), (steps, tapped) => {
        const graph = new Graph();
        const tensors: Tensor[] = [graph.input("x", [64]), graph.input("y", [64])];
        for (const [a, b, sum] of steps) {
          const left = tensors[a % tensors.length];
          tensors.push(sum ? add(left, tensors[b % tensors.length]) : relu(left));
        }
        const share = graph.input("share", []);
        const chosen = [...new Set(tapped.map((i) => 2 + (i % steps.length)))];
        const nodes = chosen.map((i) =>
          accumulate(new Map([[graph.state(`sum${i}`, [64], zeros), tensors[i]]]), share),
        );
        const outputs = { last: tensors.at(-1)! };
        const taps = Object.fromEntries(nodes.map((node, i) => [`tap ${i}`, node]));
        for (const fuse of [false, true]) {
          const { dispatches, taps: planned } = plan({ outputs, taps, fuse }, paperTarget);
          const atEnd = plan({ outputs, updates: nodes, fuse }, paperTarget);
          const others = (all: Plan["dispatches"]): string[] =>
            all
              .filter(({ node }) => node.op.name !== "accumulate")
              .map(({ node, kernel }) => `${node.index} ${kernel.label}`);
          expect(others(dispatches)).toEqual(others(atEnd.dispatches));
          expect([...planned.keys()]).toEqual(Object.keys(taps));
          dispatches.forEach(({ node, bindings }, i) => {
            if (node.op.name !== "accumulate") return;
            for (const { owner } of bindings) {
              const wrote = dispatches.findLastIndex(
                (other) =>
                  other.node !== node && other.bindings.some((b) => b.owner === owner && b.access !== "read"),
              );
              expect(wrote).toBeLessThan(i);
            }
          });
        }
      }),
      { numRuns: 100 },
    );
  });
});
