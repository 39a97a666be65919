import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { sum } from "../../../src/graph/ops/reduce.ts";
import { multiply } from "../../../src/graph/ops/binary.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { dense, embedding, multiHeadAttention, sequential } from "../../../src/layers.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

/** What `keras_attention.py` has written. */
interface Fixture {
  readonly weights: readonly { readonly name: string; readonly shape: Shape }[];
  readonly y: readonly number[];
  readonly shape: Shape;
  readonly dquery: readonly number[];
  readonly dweights: readonly (readonly number[])[];
}

const FIXTURES = JSON.parse(
  readFileSync(new URL("fixtures/multi-head-attention.json", import.meta.url), "utf8"),
) as Record<string, Fixture>;

const drawn = (shape: Shape, k: number, scale: number): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(1.7 * i + k));

describe("multiHeadAttention", () => {
  const gpu = useGpu();

  it.each([
    { name: "self-attention", query: [2, 5, 6], layer: multiHeadAttention(2, 3) },
    {
      name: "causal",
      query: [2, 5, 8],
      layer: multiHeadAttention(2, 4, { useBias: false, useCausalMask: true }),
    },
    {
      name: "of another sequence",
      query: [2, 3, 4],
      value: [2, 7, 6],
      layer: multiHeadAttention(3, 2, { valueDim: 5, outputShape: 7 }),
    },
    { name: "masked", query: [2, 3, 4], value: [2, 4, 4], masked: true, layer: multiHeadAttention(2, 4) },
  ])("is Keras's: $name, with weights of its names and shapes, and all gradients", async (each) => {
    const fixture = FIXTURES[each.name];
    const graph = new Graph();
    const query = graph.input("query", each.query);
    const value = each.value ? graph.input("value", each.value) : undefined;
    const maskShape = [each.query[0], each.query[1], each.value?.[1] ?? each.query[1]];
    const attentionMask = each.masked ? graph.input("mask", maskShape, "u32") : undefined;
    const y = each.layer(query, { value, attentionMask });
    expect(y.shape).toEqual(fixture.shape);
    const variables = [...graph.variables.values()];
    expect(variables.map(({ name, shape }) => ({ name, shape }))).toEqual(
      fixture.weights.map(({ name, shape }) => ({ name: `multi_head_attention/${name}`, shape })),
    );
    const total = sum(multiply(y, graph.input("factor", y.shape)));
    const found = gradients(total, [query, ...variables]);
    const outputs = { y, ...Object.fromEntries([...found].map(([x, gradient]) => [`d${x.name}`, gradient])) };
    using values = new Variables(gpu(), {
      values: variables.map(
        ({ name, shape }, i) => [name, { shape, data: drawn(shape, 2 + i, 0.5) }] as const,
      ),
    });
    using program = await compile(gpu(), { outputs, variables: values });
    const result: Record<string, Float32Array | Uint32Array> = await program.run({
      query: drawn(each.query, 0, 1),
      factor: Float32Array.from({ length: sizeOf(y.shape) }, (_, i) => Math.sin(0.9 * i)),
      ...(each.value && { value: drawn(each.value, 1, 1) }),
      ...(each.masked && {
        mask: Uint32Array.from({ length: sizeOf(maskShape) }, (_, i) => Number(i % 3 !== 0)),
      }),
    });
    expectClose(result.y, fixture.y);
    expectClose(result.dquery, fixture.dquery);
    variables.forEach(({ name }, i) => {
      // Every score of a query moves by as much, so the gradient by the keys' bias is 0 but for rounding.
      if (name.endsWith("key/bias")) expect(Math.max(...result[`d${name}`].map(Math.abs))).toBeLessThan(1e-6);
      else expectClose(result[`d${name}`], fixture.dweights[i], 1e-5, name);
    });
  });

  it("drops weights in training alone", async () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 16, 8]);
    const layer = multiHeadAttention(2, 4, { dropout: 0.5 });
    const outputs = { use: layer(x), training: layer(x, { training: true }) };
    using program = await compile(gpu(), { outputs });
    const feeds = { x: randomInput([2, 16, 8], 1).data };
    const [first, second] = [await program.run(feeds), await program.run(feeds)];
    expect(first.use).toEqual(second.use);
    expect(first.training).not.toEqual(first.use);
    expect(first.training).not.toEqual(second.training);
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const [x, other] = [graph.input("x", [2, 4, 6]), graph.input("other", [3, 5, 6])];
    expect(() => multiHeadAttention(0, 3)).toThrow("numHeads must be a whole number from 1, not 0");
    expect(() => multiHeadAttention(2, 3)(graph.input("flat", [4, 6]))).toThrow(
      'takes sequences [N, T, D]; "flat" is [4, 6]',
    );
    expect(() => multiHeadAttention(2, 3)(x, { value: other })).toThrow(
      'query, key and value do not fit ("x" [2, 4, 6], "other" [3, 5, 6], "other" [3, 5, 6])',
    );
    expect(() => multiHeadAttention(2, 3)(x, { attentionMask: graph.input("m", [2, 4, 3], "u32") })).toThrow(
      'the mask "m" is u32 [2, 4, 3] and must be u32 [2, 4, 4]',
    );
  });
});

describe("embedding", () => {
  const gpu = useGpu();

  it("looks vectors up, and stands first in a sequential", async () => {
    const graph = new Graph();
    const model = sequential([embedding(10, 4), dense(3)]);
    const y = model(graph.input("ids", [2, 5], "u32"));
    const looked = embedding(10, 4, { name: "other" })(graph.input("ids2", [3], "u32"));
    expect(y.shape).toEqual([2, 5, 3]);
    expect(looked.dtype).toBe("f32");
    using variables = new Variables(gpu(), { seed: 3 });
    using program = await compile(gpu(), { outputs: { y, looked }, variables });
    const result = await program.run({ ids: new Uint32Array(10), ids2: Uint32Array.of(7, 10, 0) });
    const table = await variables.read("other/embeddings");
    expect(table.every((value) => Math.abs(value) <= 0.05)).toBe(true);
    expect([...result.looked]).toEqual([...table.subarray(28, 32), 0, 0, 0, 0, ...table.subarray(0, 4)]);
    expect([...graph.variables.keys()]).toContain("embedding/embeddings");
  });

  it("refuses floats", () => {
    expect(() => embedding(10, 4)(new Graph().input("ids", [3]))).toThrow(
      'embedding takes indices of u32; "ids" is f32 [3]: feed it as u32',
    );
  });
});
