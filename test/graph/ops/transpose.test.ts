import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { transpose } from "../../../src/graph/ops/transpose.ts";
import { plan } from "../../../src/graph/plan.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { RunOpOptions } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("transpose", () => {
  const gpu = useGpu();

  async function check(shape: Shape, axes?: readonly number[], options: RunOpOptions = {}): Promise<void> {
    const input = randomInput(shape, 1);
    const dy = randomInput([sizeOf(shape)], 2).data;
    const own = axes?.map((axis) => (axis < 0 ? axis + shape.length : axis));
    const { y, gradients } = tfjsReference((x) => tf.transpose(x, own), [input], dy);
    const what = JSON.stringify({ shape, axes, options });
    expect(await runOp(gpu(), (x) => transpose(x, axes), [input], dy, options), what).toEqual({
      y,
      gradients,
    });
  }

  it("equals tfjs over any axes, forward and backward, bit by bit", async () => {
    const shape = fc.array(fc.constantFrom(1, 2, 3, 4, 5, 8), { minLength: 1, maxLength: 5 });
    const permuted = shape.chain((shape) =>
      fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
    );
    await fc.assert(
      fc.asyncProperty(permuted, ([shape, axes]) => check(shape, axes)),
      compiledCases(24),
    );
  });

  // A matrix, many of them, heads of attention, one number, none but ones.
  const CASES: readonly (readonly [Shape, readonly number[] | undefined])[] = [
    [[2, 3], undefined],
    [[67, 45], undefined],
    [
      [3, 33, 65],
      [0, 2, 1],
    ],
    [
      [2, 3, 17, 9],
      [0, 1, -1, -2],
    ],
    [
      [2, 9, 4, 8],
      [0, 2, 1, 3],
    ],
    [
      [2, 9, 4, 8],
      [0, 2, 3, 1],
    ],
    [[1], undefined],
    [[], undefined],
    [
      [1, 1, 1],
      [2, 0, 1],
    ],
  ];

  it.each(CASES)("equals tfjs in both families of kernels: %j by %j", async (shape, axes) => {
    for (const family of ["register", "workgroup"] as const) await check(shape, axes, { family });
  });

  it("is the same in parts that bindings hold", async () => {
    const cases: readonly (readonly [Shape, readonly number[] | undefined])[] = [
      [[64, 80], undefined],
      [
        [16, 8, 32],
        [0, 2, 1],
      ],
      [
        [16, 8, 32],
        [1, 0, 2],
      ],
      [
        [32, 8, 16],
        [2, 1, 0],
      ],
    ];
    for (const [shape, axes] of cases) await check(shape, axes, { maxBindingBytes: 4096 });
  });

  it("keeps f16 as it is", async ({ skip }) => {
    skip(
      !gpu().features.has("shader-f16"),
      `${gpu().adapterName} has no half-precision numbers (shader-f16).`,
    );
    const input = randomInput([2, 12, 8], 1, { levels: 9 });
    const dy = randomInput([192], 2, { levels: 9 }).data;
    for (const axes of [
      [0, 2, 1],
      [1, 0, 2],
      [2, 1, 0],
    ]) {
      const half = await runOp(gpu(), (x) => transpose(cast(x, "f16"), axes), [input], dy);
      expect(half).toEqual(await runOp(gpu(), (x) => transpose(x, axes), [input], dy));
    }
  });

  it("takes whole numbers too", async () => {
    const graph = new Graph();
    const x = graph.input("x", [3, 2, 5], "u32");
    const outputs = { matrices: transpose(x, [0, 2, 1]), any: transpose(x) };
    const program = await compile(gpu(), { outputs });
    const numbers = Uint32Array.from({ length: 30 }, (_, i) => 0xffffff00 + i);
    const result = await program.run({ x: numbers });
    program.destroy();
    expect([...result.matrices.slice(0, 4)]).toEqual([0, 5, 1, 6].map((i) => 0xffffff00 + i));
    expect([...result.any.slice(0, 4)]).toEqual([0, 10, 20, 5].map((i) => 0xffffff00 + i));
  });

  it("costs nothing where only axes of one move, and one dispatch elsewhere", () => {
    const graph = new Graph();
    const x = graph.input("x", [4, 1, 3, 1]);
    const dispatches = (y: ReturnType<typeof transpose>): number =>
      plan({ outputs: { y } }, paperTarget).dispatches.length;
    expect(dispatches(transpose(x, [1, 0, 3, 2]))).toBe(0);
    expect(dispatches(transpose(x))).toBe(1);
    expect(dispatches(transpose(graph.input("heads", [2, 3, 4, 5]), [0, 2, 1, 3]))).toBe(1);
  });

  it("says which axes there are", () => {
    const x = new Graph().input("x", [2, 3, 1]);
    for (const axes of [[0, 1], [0, 1, 1], [0, 1, 3], []]) {
      expect(() => transpose(x, axes)).toThrow(
        `transpose: the axes [${axes.join(", ")}] do not name each of the 3 axes of "x" [2, 3, 1] once.`,
      );
    }
  });
});
