import { describe, expect, it } from "vitest";
import { compile } from "../../src/graph/program.ts";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import { add } from "../../src/graph/ops/add.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { useGpu } from "../helpers/gpu.ts";

describe("a program", () => {
  const gpu = useGpu();

  it("runs a graph and its gradient, and frees what it took", async () => {
    const before = gpu().bytes;
    const graph = new Graph();
    const x = graph.input("x", []);
    const y = add(relu(x), x);
    const dx = gradients(y, [x]).get(x)!;
    const program = await compile(gpu(), { outputs: { y, dx } });
    expect(await program.run({ x: Float32Array.of(3) })).toEqual({
      y: Float32Array.of(6),
      dx: Float32Array.of(2),
    });
    expect(await program.run({ x: Float32Array.of(-3) })).toEqual({
      y: Float32Array.of(-3),
      dx: Float32Array.of(1),
    });
    program.destroy();
    expect(gpu().bytes).toBe(before);
  });

  it("takes numbers that threads share", async () => {
    const graph = new Graph();
    const x = graph.input("x", [4]);
    const program = await compile(gpu(), { outputs: { y: relu(x) } });
    const shared = new Float32Array(new SharedArrayBuffer(16));
    shared.set([1, -2, 3, -4]);
    expect(await program.run({ x: shared })).toEqual({ y: Float32Array.of(1, 0, 3, 0) });
    program.destroy();
  });
});
