/** @file Products of matrices, one or many at once, and tables of vectors: what layers on tokens are made of. */
import * as tf from "@tensorflow/tfjs-core";
import { dense } from "../../src/graph/ops/dense.ts";
import { embedding } from "../../src/graph/ops/gather.ts";
import { matmul } from "../../src/graph/ops/matmul.ts";
import type { Shape } from "../../src/graph/shape.ts";
import type { BenchCase } from "../bench-case.ts";
import { opCases } from "./op-cases.ts";

const HEADS = 16;
const TOKENS = 128;
const WIDTH = 64;

export function productCases(): BenchCase[] {
  const square = [1024, 1024];
  const [heads, scores] = [
    [HEADS, TOKENS, WIDTH],
    [HEADS, TOKENS, TOKENS],
  ];
  return [
    ...matmulCases("1024³", square, square, square),
    ...denseCases(square, square),
    ...matmulCases("queries by keys", heads, heads, scores, true),
    // As much arithmetic in one product as in those of all heads.
    ...matmulCases(
      "one as large as all heads'",
      [HEADS * TOKENS, WIDTH],
      [TOKENS, WIDTH],
      [HEADS * TOKENS, TOKENS],
      true,
    ),
    ...matmulCases("weights by values", scores, heads, heads),
    ...embeddingCases(65, 256, 4096),
    ...embeddingCases(8192, 256, 4096),
  ];
}

const flopsOf = (y: Shape, inner: number): number => 2 * inner * y.reduce((a, b) => a * b);

function matmulCases(name: string, a: Shape, b: Shape, y: Shape, transposeB = false): BenchCase[] {
  const flops = flopsOf(y, a.at(-1)!);
  return opCases({
    name: `matmul ${name}`,
    shape: a,
    inputs: { a: { shape: a }, b: { shape: b } },
    ours: ({ a, b }) => matmul(a, b, { transposeB }),
    theirs: ({ a, b }) => tf.matMul(a, b, false, transposeB),
    rows: [
      { what: "forward", moves: [a, b, y], flops },
      { what: "backward", wrt: ["a", "b"], moves: [a, b, y, a, b], flops: 2 * flops },
    ],
  });
}

function denseCases(x: Shape, kernel: Shape): BenchCase[] {
  const y = [x[0], kernel[1]];
  const flops = flopsOf(y, x[1]);
  return opCases({
    name: "dense 1024³",
    shape: x,
    inputs: { x: { shape: x }, kernel: { shape: kernel }, bias: { shape: [kernel[1]] } },
    ours: ({ x, kernel, bias }) => dense(x, kernel, bias),
    theirs: ({ x, kernel, bias }) => tf.add(tf.matMul(x, kernel), bias),
    rows: [
      { what: "forward", moves: [x, kernel, y], flops },
      { what: "backward", wrt: ["x", "kernel", "bias"], moves: [x, kernel, y, x, kernel], flops: 2 * flops },
    ],
  });
}

function embeddingCases(rows: number, width: number, count: number): BenchCase[] {
  const [table, y] = [
    [rows, width],
    [count, width],
  ];
  return opCases({
    name: `embedding of ${rows}`,
    shape: table,
    inputs: { table: { shape: table }, indices: { shape: [count], below: rows } },
    ours: ({ table, indices }) => embedding(table, indices),
    theirs: ({ table, indices }) => tf.gather(table, indices),
    rows: [
      { what: "forward", moves: [y, y] },
      { what: "backward", wrt: ["table"], moves: [y, table] },
    ],
  });
}
