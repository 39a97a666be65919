import { describe, expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import { constant, glorotUniform, ones, randomNormal, seededRandom } from "../../src/graph/initializers.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { compile } from "../../src/graph/program.ts";
import { Variables } from "../../src/graph/variables.ts";
import { useGpu } from "../helpers/gpu.ts";

describe("Variables", () => {
  const gpu = useGpu();

  it("are shared by programs, initialised by seed and name, and freed", async () => {
    const before = gpu().bytes;
    const variables = new Variables(gpu(), { seed: 5 });
    const build = () => {
      const graph = new Graph();
      return compile(gpu(), { outputs: { y: relu(graph.parameter("w", [4], randomNormal(1))) }, variables });
    };
    const [first, second] = [await build(), await build()];
    expect(await variables.read("w")).toEqual(randomNormal(1)([4], seededRandom(5, "w")));
    variables.write("w", Float32Array.of(1, -1, 2, -2));
    for (const program of [first, second]) {
      expect(await program.run({})).toEqual({ y: Float32Array.of(1, 0, 2, 0) });
      program.destroy();
    }
    expect([...variables.shapes()]).toEqual([["w", [4]]]);
    variables.release((name) => name === "w");
    expect(gpu().bytes).toBe(before);
    await expect(variables.read("w")).rejects.toThrow('There is no variable "w".');
  });

  it("refuse another shape and the wrong number of values", async () => {
    const variables = new Variables(gpu());
    const compiled = (shape: number[]) =>
      compile(gpu(), { outputs: { y: relu(new Graph().parameter("w", shape, ones)) }, variables });
    (await compiled([2, 3])).destroy();
    await expect(compiled([3, 2])).rejects.toThrow('The variable "w" is [2, 3] and the graph has [3, 2].');
    expect(() => variables.write("w", new Float32Array(5))).toThrow('"w" [2, 3] cannot take 5 values');
    variables.destroy();
  });
});

describe("Program", () => {
  const gpu = useGpu();

  it("says which feed is missing, unknown or misshapen, and which output there is not", async () => {
    const graph = new Graph();
    const program = await compile(gpu(), { outputs: { y: relu(graph.input("x", [2, 2])) } });
    await expect(program.run({})).rejects.toThrow('The input "x" [2, 2] was not fed.');
    await expect(program.run({ x: new Float32Array(3) })).rejects.toThrow(
      '"x" [2, 2] takes a Float32Array of 4 values',
    );
    await expect(program.run({ x: new Uint32Array(4) })).rejects.toThrow("takes a Float32Array");
    await expect(program.run({ x: new Float32Array(4), z: new Float32Array(1) })).rejects.toThrow(
      'no input "z"',
    );
    await expect(program.read("z")).rejects.toThrow('no output "z"; it has y.');
    expect(await program.run({ x: new Float32Array(4) }, [])).toEqual({});
    expect(await program.read("y")).toEqual(new Float32Array(4));
    program.destroy();
  });
});

describe("initializers", () => {
  it("have the distributions their names say", () => {
    const random = seededRandom(1, "x");
    const normal = randomNormal(0.02)([10_000], random);
    const mean = normal.reduce((a, b) => a + b) / normal.length;
    const deviation = Math.sqrt(normal.reduce((a, b) => a + (b - mean) ** 2, 0) / normal.length);
    expect(Math.abs(mean)).toBeLessThan(0.001);
    expect(deviation).toBeCloseTo(0.02, 3);
    const limit = Math.sqrt(6 / (9 * (64 + 32)));
    const glorot = glorotUniform([3, 3, 64, 32], random);
    expect(Math.max(...glorot)).toBeLessThanOrEqual(limit);
    expect(Math.max(...glorot)).toBeGreaterThan(0.99 * limit);
    expect(Math.min(...glorot)).toBeLessThan(-0.99 * limit);
    expect(constant(3)([2], random)).toEqual(Float32Array.of(3, 3));
    expect(seededRandom(1, "a")()).not.toBe(seededRandom(1, "b")());
  });
});
