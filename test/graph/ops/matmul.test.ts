import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { matmul } from "../../../src/graph/ops/matmul.ts";
import type { MatmulOptions } from "../../../src/graph/ops/matmul.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { dot, runOp } from "../../helpers/op.ts";
import type { RunOpOptions } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

describe("matmul", () => {
  const gpu = useGpu();

  it("equals tfjs with either factor transposed, forward and both gradients", async () => {
    const extent = fc.integer({ min: 1, max: 20 });
    const cases = [extent, extent, extent, fc.boolean(), fc.boolean(), fc.nat(1000)] as const;
    await fc.assert(
      fc.asyncProperty(...cases, async (rows, inner, columns, transposeA, transposeB, seed) => {
        const inputs = [
          randomInput(transposeA ? [inner, rows] : [rows, inner], seed),
          randomInput(transposeB ? [columns, inner] : [inner, columns], seed + 1),
        ];
        const dy = randomInput([rows * columns], seed + 2).data;
        const reference = tfjsReference((a, b) => tf.matMul(a, b, transposeA, transposeB), inputs, dy);
        const result = await runOp(gpu(), (a, b) => matmul(a, b, { transposeA, transposeB }), inputs, dy);
        expectClose(result.y, reference.y);
        reference.gradients.forEach((gradient, i) => expectClose(result.gradients[i], gradient));
      }),
      compiledCases(20),
    );
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const a = graph.input("a", [2, 3]);
    expect(() => matmul(a, graph.input("b", [2, 3]))).toThrow('"a" [2, 3] and "b" [2, 3] do not fit');
    expect(() => matmul(a, graph.input("c", [4, 2]), { transposeB: true })).toThrow('"c" [4, 2] transposed');
    expect(() => matmul(a, graph.input("d", [3]))).toThrow("it takes [.., M, K] and [.., K, N]");
    expect(() => matmul(a, graph.input("e", [3, 2], "u32"))).toThrow(
      '"e" u32 [3, 2] do not fit: it takes floats',
    );
    expect(() => matmul(graph.input("f", [4, 2, 3]), graph.input("g", [5, 3, 2]))).toThrow(
      "the axes before the last two must be equal or 1",
    );
  });
});

/** Products of matrices and both gradients of Σ y·dy, in double precision: number by number. */
function reference(
  [a, b]: readonly { readonly shape: Shape; readonly data: ArrayLike<number> }[],
  { transposeA = false, transposeB = false }: MatmulOptions,
  dy: ArrayLike<number>,
): { y: Float64Array; gradients: Float64Array[] } {
  const [aBatch, bBatch] = [a, b].map(({ shape }) => shape.slice(0, -2));
  const rank = Math.max(aBatch.length, bBatch.length);
  const at = (batch: Shape, axis: number): number => batch[axis - rank + batch.length] ?? 1;
  const batch = Array.from({ length: rank }, (_, i) => Math.max(at(aBatch, i), at(bBatch, i)));
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const inner = a.shape.at(transposeA ? -2 : -1)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const y = new Float64Array(sizeOf(batch) * rows * columns);
  const gradients = [a, b].map(({ shape }) => new Float64Array(sizeOf(shape)));
  for (let layer = 0; layer < sizeOf(batch); layer++) {
    const places = batch.map((extent, i) => Math.floor(layer / sizeOf(batch.slice(i + 1))) % extent);
    const matrix = (own: Shape): number =>
      places.reduce((sum, place, i) => sum * at(own, i) + (at(own, i) > 1 ? place : 0), 0);
    const [aFirst, bFirst] = [matrix(aBatch) * rows * inner, matrix(bBatch) * inner * columns];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        for (let k = 0; k < inner; k++) {
          const aAt = aFirst + (transposeA ? k * rows + i : i * inner + k);
          const bAt = bFirst + (transposeB ? j * inner + k : k * columns + j);
          const yAt = (layer * rows + i) * columns + j;
          y[yAt] += a.data[aAt] * b.data[bAt];
          gradients[0][aAt] += dy[yAt] * b.data[bAt];
          gradients[1][bAt] += dy[yAt] * a.data[aAt];
        }
  }
  return { y, gradients };
}

async function check(
  gpu: Gpu,
  shapes: readonly [Shape, Shape],
  options: MatmulOptions,
  run: RunOpOptions = {},
): Promise<void> {
  const turned = (shape: Shape, turn = false): Shape =>
    turn ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape;
  const inputs = [turned(shapes[0], options.transposeA), turned(shapes[1], options.transposeB)].map(
    (shape, i) => randomInput(shape, i),
  );
  const graph = new Graph();
  const [a, b] = inputs.map(({ shape }, i) => graph.input(`${i}`, shape));
  const dy = randomInput([sizeOf(matmul(a, b, options).shape)], 7).data;
  const expected = reference(inputs, options, dy);
  const result = await runOp(gpu, (a, b) => matmul(a, b, options), inputs, dy, run);
  const what = JSON.stringify([...inputs.map(({ shape }) => shape), options, run]);
  expectClose(result.y, expected.y, 1e-5, what);
  expected.gradients.forEach((gradient, i) =>
    expectClose(result.gradients[i], gradient, 1e-5, `the gradient by factor ${i} of ${what}`),
  );
}

const TRANSPOSED: readonly MatmulOptions[] = [
  {},
  { transposeA: true },
  { transposeB: true },
  { transposeA: true, transposeB: true },
];

describe("matmul of batches", () => {
  const gpu = useGpu();

  it("is what double precision gives, whatever is broadcast or transposed", async () => {
    const extent = fc.integer({ min: 1, max: 13 });
    const axes = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom("both", "a", "b")), {
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(
        axes,
        fc.nat(2),
        extent,
        extent,
        extent,
        fc.constantFrom(...TRANSPOSED),
        (...drawn) => {
          const [batch, lacking, m, k, n, options] = drawn;
          const of = (side: "a" | "b"): number[] =>
            batch.map(([extent, who]) => (who === "both" || who === side ? extent : 1));
          // Axes that one of the two lacks, where they would be 1.
          const b = of("b");
          while (b.length > 0 && b.length > batch.length - lacking && b[0] === 1) b.shift();
          return check(
            gpu(),
            [
              [...of("a"), m, k],
              [...b, k, n],
            ],
            options,
          );
        },
      ),
      compiledCases(24),
    );
  });

  // Multiples of four and not, more than a tile, one number.
  const SHAPES: readonly (readonly [Shape, Shape])[] = [
    // Its gradients are sums of several parts.
    [
      [2, 300, 8],
      [2, 8, 12],
    ],
    [
      [2, 3, 40, 24],
      [2, 3, 24, 72],
    ],
    [
      [5, 17, 9],
      [5, 9, 33],
    ],
    [
      [4, 1, 16, 8],
      [3, 8, 12],
    ],
    [
      [3, 20, 16],
      [16, 36],
    ],
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
  ];

  it.each(TRANSPOSED)("is the same in all families of kernels: %o", async (options) => {
    for (const shapes of SHAPES)
      for (const family of ["register", "workgroup"] as const)
        await check(gpu(), shapes, options, { family });
  });

  it("is the same in parts that bindings hold, and where dispatches are short", async () => {
    for (const options of TRANSPOSED.slice(0, 3)) {
      await check(
        gpu(),
        [
          [70, 8, 8],
          [70, 8, 8],
        ],
        options,
        { maxBindingBytes: 16 * 256 },
      );
      await check(
        gpu(),
        [
          [35, 2, 8, 8],
          [2, 8, 8],
        ],
        options,
        { maxBindingBytes: 16 * 256 },
      );
    }
  });

  it("takes one dispatch, however many matrices there are", () => {
    const graph = new Graph();
    const [q, k] = ["q", "k"].map((name) => graph.input(name, [2, 8, 16, 32]));
    const target = { ...paperTarget, maxWorkgroupsPerDimension: 64 };
    const y = matmul(q, k, { transposeB: true });
    expect(plan({ outputs: { y } }, target).dispatches).toHaveLength(1);
    const wide = new Graph();
    const [a, b] = ["a", "b"].map((name) => wide.input(name, [130, 4, 4]));
    expect(plan({ outputs: { y: matmul(a, b) } }, target).dispatches).toHaveLength(3);
  });

  it("has rows of many matrices by one as one product", () => {
    const graph = new Graph();
    const y = matmul(graph.input("x", [4, 16, 32]), graph.input("w", [32, 8]));
    const [{ kernel }] = plan({ outputs: { y } }, paperTarget).dispatches;
    expect(kernel.tiling?.request).toMatchObject({ rows: 64, layers: 1 });
  });

  it("stores f16 as its first factor is, gradients too", async ({ skip }) => {
    skip(
      !gpu().features.has("shader-f16"),
      `${gpu().adapterName} has no half-precision numbers (shader-f16).`,
    );
    const graph = new Graph();
    const shapes = [
      [3, 8, 12],
      [3, 12, 16],
    ];
    const [a, b] = shapes.map((shape, i) => graph.input(`${i}`, shape));
    const y = matmul(cast(a, "f16"), cast(b, "f16"));
    expect(y.dtype).toBe("f16");
    const found = gradients(dot(y, cast(graph.input("dy", y.shape), "f16")), [a, b]);
    const inputs = shapes.map((shape, i) => randomInput(shape, i));
    const dy = randomInput(y.shape, 5).data;
    const outputs = { y, da: found.get(a)!, db: found.get(b)! };
    const program = await compile(gpu(), { outputs });
    const result = await program.run({ 0: inputs[0].data, 1: inputs[1].data, dy });
    program.destroy();
    const expected = reference(inputs, {}, dy);
    expectClose(result.y, expected.y, 3e-3);
    expectClose(result.da, expected.gradients[0], 3e-3);
    expectClose(result.db, expected.gradients[1], 3e-3);
  });
});
