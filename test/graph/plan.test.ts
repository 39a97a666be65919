import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { zeros } from "../../src/graph/initializers.ts";
import { add } from "../../src/graph/ops/add.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { plan } from "../../src/graph/plan.ts";
import type { Plan } from "../../src/graph/plan.ts";
import { bytesOf } from "../../src/graph/shape.ts";
import { defineKernel } from "../../src/kernels/kernel.ts";
import { paperTarget } from "../helpers/target.ts";

/** Every computed tensor of a dispatch lies in a block of its own, large enough, that nobody else needs yet. */
function checkPlacement({ dispatches, blocks, blockOf, outputs }: Plan): void {
  const holder = new Map<number, unknown>();
  const lastUse = new Map<unknown, number>();
  dispatches.forEach(({ bindings }, i) => bindings.forEach(({ owner }) => lastUse.set(owner, i)));
  for (const output of outputs.values()) lastUse.set(output, dispatches.length);
  dispatches.forEach(({ bindings }, i) => {
    const used = new Map<number, unknown>();
    for (const { owner, access } of bindings) {
      const block = blockOf.get(owner);
      if (block === undefined) continue;
      expect("scratch" in owner ? owner.bytes : bytesOf(owner)).toBeLessThanOrEqual(blocks[block]);
      expect(used.get(block) ?? owner).toBe(owner);
      used.set(block, owner);
      if (access === "read") expect(holder.get(block)).toBe(owner);
      else {
        const before = holder.get(block);
        if (before !== undefined && before !== owner) expect(lastUse.get(before)).toBeLessThan(i);
        holder.set(block, owner);
      }
    }
  });
}

describe("plan", () => {
  it("reuses memory: a chain needs two blocks, however long", () => {
    const graph = new Graph();
    let x = graph.input("x", [8, 100]);
    for (let i = 0; i < 20; i++) x = relu(x);
    const planned = plan({ outputs: { x }, fuse: false }, paperTarget);
    expect(planned.blocks).toEqual([3200, 3200]);
    expect(planned.summary).toEqual({
      dispatches: 20,
      pipelines: 1,
      arenaBytes: 6400,
      inputBytes: 3200,
      variableBytes: 0,
      peakBytes: 9600,
    });
    checkPlacement(planned);
  });

  it("leaves out what nobody asked for", () => {
    const graph = new Graph();
    const x = graph.input("x", [4]);
    const y = relu(x);
    relu(graph.input("unused", [4]));
    const planned = plan({ outputs: { y } }, paperTarget);
    expect(planned.dispatches).toHaveLength(1);
    expect(planned.inputs).toEqual([x]);
  });

  it("never lays two living tensors into one block (any graph)", () => {
    const choice = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(choice, fc.nat(), (steps, kept) => {
        const graph = new Graph();
        const tensors: Tensor[] = [graph.input("x", [3, 5]), graph.input("y", [3, 5])];
        for (const [a, b, sum] of steps) {
          const left = tensors[a % tensors.length];
          tensors.push(sum ? add(left, tensors[b % tensors.length]) : relu(left));
        }
        const outputs = { last: tensors.at(-1)!, other: tensors[2 + (kept % steps.length)] };
        checkPlacement(plan({ outputs, fuse: false }, paperTarget));
        checkPlacement(plan({ outputs }, paperTarget));
      }),
      { numRuns: 200 },
    );
  });

  describe("where an op would write over its input", () => {
    const kernel = defineKernel({
      label: "negate",
      read: {},
      write: { y: "array<f32>" },
      workgroups: [1, 1, 1],
      body: "",
    });
    /** An op that only works in place; `allowed` says whether it may. */
    const negate = (x: Tensor, allowed: boolean[] = []): Tensor =>
      x.graph.apply(
        {
          name: "negate",
          outputs: [x],
          lower(l, [y]) {
            allowed.push(l.overwrites(x, y));
            l.dispatch(kernel, { y });
          },
        },
        [x],
      ).outputs[0];

    it("lays the output over it, again and again, and later readers find it there", () => {
      const x = relu(new Graph().input("x", [100]));
      const planned = plan({ outputs: { y: relu(negate(negate(x))) } }, paperTarget);
      expect(planned.blocks).toEqual([400, 400]);
      const owners = planned.dispatches.map(({ bindings }) => bindings.map(({ owner }) => owner));
      expect(owners.slice(1, 3)).toEqual([[x], [x]]);
      expect(owners[3][0]).toBe(x);
      checkPlacement(planned);
    });

    it("does not where somebody else reads or owns what would be lost", () => {
      const allowed: boolean[] = [];
      const graph = new Graph();
      const input = graph.input("x", [100]);
      const x = relu(input);
      plan({ outputs: { y: negate(input, allowed) } }, paperTarget);
      plan({ outputs: { y: relu(negate(x, allowed)), x } }, paperTarget);
      plan({ outputs: { y: negate(x, allowed) } }, paperTarget);
      plan({ outputs: { y: add(negate(x, allowed), x) } }, paperTarget);
      expect(allowed).toEqual([false, false, false, false]);
      plan({ outputs: { y: add(relu(x), negate(x, allowed)) }, fuse: false }, paperTarget);
      expect(allowed.pop()).toBe(true);
    });
  });

  it("runs updates after everything that reads the variable, and automatic ones unasked", () => {
    const graph = new Graph();
    const w = graph.parameter("w", [4], zeros);
    const update = graph.apply(
      { name: "update", outputs: [], updates: [w], automatic: true, lower: () => {} },
      [w],
    );
    const y = relu(w);
    expect(plan({ outputs: { y } }, paperTarget).dispatches.map(({ node }) => node.op.name)).toEqual([
      "relu",
    ]);
    const again = graph.apply({ name: "again", outputs: [], updates: [w], lower: () => {} }, [w]);
    expect(() => plan({ outputs: { y }, updates: [update, again] }, paperTarget)).toThrow(
      'again would use "w" after update has updated it.',
    );
  });

  it("cuts work along the batch where a binding would be too large", () => {
    const graph = new Graph();
    const y = relu(graph.input("x", [10, 32]));
    const planned = plan({ outputs: { y } }, { ...paperTarget, maxBindingBytes: 900 });
    // 128 bytes an image; a binding begins at a multiple of 256 bytes, so at every second image.
    expect(
      planned.dispatches.map(({ bindings }) => bindings.map(({ offset, bytes }) => [offset, bytes])),
    ).toEqual([
      [
        [0, 768],
        [0, 768],
      ],
      [
        [768, 512],
        [768, 512],
      ],
    ]);
  });

  it("says which tensor is too large when one image alone is", () => {
    const graph = new Graph();
    const y = relu(graph.input("photo", [2, 1000]));
    expect(() => plan({ outputs: { y } }, { ...paperTarget, maxBindingBytes: 1000 })).toThrow(
      /"photo" \[2, 1000\] cannot be cut along the batch into bindings of at most 1000 bytes/,
    );
  });
});
