import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { concat } from "../../../src/graph/ops/concat.ts";
import { pad } from "../../../src/graph/ops/pad.ts";
import { slice } from "../../../src/graph/ops/slice.ts";
import { split, stack, unstack } from "../../../src/graph/ops/split.ts";
import { plan } from "../../../src/graph/plan.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

/** No number of x. */
const AROUND = 7;

/** What all of these do, of a tensor [24, 8, 8]. */
const OPS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  "concat along the first axis": (x) => concat([x, slice(x, [1]), x], { axis: 0 }),
  "concat along the middle axis": (x) => concat([x, slice(x, [0, 2])], { axis: 1 }),
  "slice of rows": (x) => slice(x, [2], [3]),
  "slice of a box": (x) => slice(x, [1, 1, 4], [4, 3, 4]),
  "slice of channels": (x) => slice(x, [0, 0, 4]),
  "pad of rows": (x) =>
    pad(
      x,
      [
        [1, 2],
        [0, 0],
        [0, 0],
      ],
      AROUND,
    ),
  "pad on all sides": (x) =>
    pad(
      x,
      [
        [1, 0],
        [2, 1],
        [4, 4],
      ],
      AROUND,
    ),
  split: (x) => concat(split(x, 4, { axis: 1 }).reverse(), { axis: 1 }),
  stack: (x) => stack(unstack(x), { axis: 1 }),
};

describe.each(Object.entries(OPS))("%s", (_, op) => {
  const gpu = useGpu();
  const input = randomInput([24, 8, 8], 1, { levels: 9 });
  const dy = randomInput([sizeOf(op(new Graph().input("x", input.shape)).shape)], 2, { levels: 3 }).data;

  it("is the same of f16, of whole numbers, and in parts that bindings hold", async ({ skip }) => {
    const whole = await runOp(gpu(), op, [input], dy);
    expect(await runOp(gpu(), op, [input], dy, { maxBindingBytes: 3072 })).toEqual(whole);
    const graph = new Graph();
    const program = await compile(gpu(), { outputs: { y: op(graph.input("x", input.shape, "u32")) } });
    const { y } = await program.run({ x: Uint32Array.from(input.data, (value) => value + 2 ** 31) });
    program.destroy();
    expect([...y]).toEqual(Array.from(whole.y, (value) => (value === AROUND ? value : value + 2 ** 31)));
    skip(
      !gpu().features.has("shader-f16"),
      `${gpu().adapterName} has no half-precision numbers (shader-f16).`,
    );
    expect(await runOp(gpu(), (x) => op(cast(x, "f16")), [input], dy)).toEqual(whole);
  });
});

describe("slice, pad and concat", () => {
  const gpu = useGpu();

  it("equal tfjs over any axes, forward and backward, bit by bit", async () => {
    const axis = fc.tuple(fc.nat(4), fc.constantFrom(1, 2, 3, 4, 8), fc.nat(4));
    const cases = [fc.array(axis, { minLength: 1, maxLength: 5 }), fc.nat(4), fc.nat(1000)] as const;
    await fc.assert(
      fc.asyncProperty(...cases, async (axes, along, seed) => {
        const [begin, size] = [axes.map(([before]) => before), axes.map(([, extent]) => extent)];
        const paddings = axes.map(([before, , after]): [number, number] => [before, after]);
        const own = along % axes.length;
        const inputs = [randomInput(axes.map((each) => each[0] + each[1] + each[2]), seed), randomInput(size, seed + 1)]; // prettier-ignore
        const ours = (x: Tensor, y: Tensor): Tensor =>
          pad(concat([slice(x, begin, size), y], { axis: own }), paddings, 0.5);
        const theirs = (x: tf.Tensor, y: tf.Tensor): tf.Tensor =>
          tf.pad(tf.concat([tf.slice(x, begin, size), y], own), paddings, 0.5);
        const graph = new Graph();
        const shape = ours(graph.input("x", inputs[0].shape), graph.input("y", size)).shape;
        const dy = randomInput([sizeOf(shape)], seed + 2).data;
        const { y, gradients } = tfjsReference((...[x, z]) => theirs(x, z), inputs, dy);
        expect(await runOp(gpu(), ours, inputs, dy)).toEqual({ y, gradients });
      }),
      compiledCases(20),
    );
  });
});

describe("slice, pad, split and stack", () => {
  const graph = new Graph();
  const x = graph.input("x", [2, 3, 4]);

  it("are x itself where nothing changes", () => {
    expect(slice(x, [])).toBe(x);
    expect(slice(x, [0, 0, 0], [-1, 3, 4])).toBe(x);
    expect(pad(x, [[0, 0], [0, 0], [0, 0]])).toBe(x); // prettier-ignore
    expect(split(x, 1)).toEqual([x]);
    expect(split(x, [1, 2], { axis: 1 }).map(({ shape }) => shape)).toEqual([
      [2, 1, 4],
      [2, 2, 4],
    ]);
  });

  it("take a dispatch each, and parts that nobody reads none", () => {
    const dispatches = (outputs: Record<string, Tensor>): number =>
      plan({ outputs }, paperTarget).dispatches.length;
    const [first, second] = split(x, 2);
    expect(dispatches({ first })).toBe(1);
    expect(dispatches({ first, second })).toBe(2);
    expect(dispatches({ y: slice(x, [0, 1], [2, 1]) })).toBe(1);
    expect(dispatches({ y: pad(x, [[1, 1], [1, 1], [1, 1]]) })).toBe(1); // prettier-ignore
  });

  it("say what does not fit, and that there are no empty tensors", () => {
    const box =
      (begin: number[], size?: number[]): (() => Tensor) =>
      () =>
        slice(x, begin, size);
    expect(box([1], [2])).toThrow('slice: "x" [2, 3, 4] has no box of [2] from [1] on');
    for (const wrong of [
      box([0, 3]),
      box([0], [0]),
      box([-1]),
      box([0.5]),
      box([0, 0, 0, 0]),
      box([0], [-2]),
    ])
      expect(wrong).toThrow("begin from 0, and at least one number along each axis");
    expect(() => pad(x, [[1, 1]])).toThrow("takes 3 pairs of whole numbers from 0");
    expect(() => pad(x, [[0, 0], [0, 0], [0, -1]])).toThrow("not [[0, 0], [0, 0], [0, -1]]"); // prettier-ignore
    expect(() => pad(graph.input("whole", [1], "u32"), [[1, 1]], -1)).toThrow(
      'pad: "whole" is u32 and cannot be padded with -1.',
    );
    expect(() => split(x, 2, { axis: 1 })).toThrow(
      'split: axis 1 of "x" [2, 3, 4] cannot be cut into 2 equal parts.',
    );
    expect(() => split(x, [3, 0], { axis: 1 })).toThrow("cannot be cut into parts of [3, 0]");
    expect(() => split(x, 0)).toThrow("cannot be cut into 0 equal parts");
    expect(() => stack([])).toThrow("stack takes at least one tensor.");
    expect(() => stack([x, graph.input("other", [2, 3])])).toThrow(
      'stack: "x" [2, 3, 4] and "other" [2, 3] differ in shape.',
    );
    expect(() => stack([x], { axis: 4 })).toThrow('stack: "x" [2, 3, 4] has no axis 4');
    expect(() => unstack(x, { axis: 3 })).toThrow('unstack: "x" [2, 3, 4] has no axis 3');
    expect(() => graph.input("empty", [0, 3])).toThrow(
      '"empty" cannot have the shape [0, 3]: extents are whole numbers from 1.',
    );
  });
});
