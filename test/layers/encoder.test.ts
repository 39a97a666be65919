import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Graph, variableParts } from "../../src/graph/graph.ts";
import type { VariablePart } from "../../src/graph/graph.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { encode } from "../../src/layers/encoder.ts";
import { denseNet121 } from "../../src/layers/networks/densenet.ts";

/** All variables as weight files know them. */
const parts = (graph: Graph): VariablePart[] => [...graph.variables.values()].flatMap(variableParts);

const inference = { training: false, trainable: false };

describe("encode, of DenseNet121", () => {
  it("has Keras's skips and its 7,037,504 parameters", () => {
    const graph = new Graph();
    const { taps, top } = encode(graph.input("image", [2, 128, 128, 3]), denseNet121, inference);
    expect(Object.fromEntries(Object.entries(taps).map(([name, { shape }]) => [name, shape]))).toEqual({
      "conv1/relu": [2, 64, 64, 64],
      pool2_relu: [2, 32, 32, 256],
      pool3_relu: [2, 16, 16, 512],
      pool4_relu: [2, 8, 8, 1024],
      relu: [2, 4, 4, 1024],
    });
    expect(top).toBeNull();
    const shapes = parts(graph).map(({ shape }) => sizeOf(shape));
    expect(shapes).toHaveLength(604);
    expect(shapes.reduce((a, b) => a + b)).toBe(7_037_504);
  });

  it("has 8,062,504 with the 1000-class top", () => {
    const graph = new Graph();
    const { top } = encode(graph.input("image", [1, 64, 64, 3]), denseNet121, { ...inference, top: true });
    expect(top?.shape).toEqual([1, 1000]);
    expect(parts(graph).reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(8_062_504);
  });

  const weights = process.env.BESPOKE_WEIGHTS;
  it.skipIf(!weights)(
    "names and shapes its variables as Keras does (BESPOKE_WEIGHTS names the model)",
    async () => {
      interface Manifest {
        weightsManifest: { weights: { name: string; shape: number[] }[] }[];
      }
      const model = JSON.parse(await readFile(join(weights!, "model.json"), "utf8")) as Manifest;
      const expected = model.weightsManifest.flatMap((group) =>
        group.weights.map(({ name, shape }) => [name, shape]),
      );
      const graph = new Graph();
      encode(graph.input("image", [1, 32, 32, 3]), denseNet121, { ...inference, top: true });
      const actual = parts(graph).map(({ name, shape }) => [name, shape]);
      expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
    },
  );

  it("learns no moving statistics, and nothing at all when frozen", () => {
    const roles = (trainable: boolean): Record<string, number> => {
      const graph = new Graph();
      encode(graph.input("image", [1, 32, 32, 3]), denseNet121, { training: true, trainable });
      const count: Record<string, number> = {};
      for (const tensor of graph.variables.values()) {
        const { role } = tensor.variable!;
        count[role] = (count[role] ?? 0) + variableParts(tensor).length;
      }
      return count;
    };
    expect(roles(true)).toEqual({ parameter: 362, state: 242 });
    expect(roles(false)).toEqual({ frozen: 362, state: 242 });
  });

  it("refuses an image it cannot halve five times", () => {
    const graph = new Graph();
    expect(() => encode(graph.input("image", [1, 50, 64, 3]), denseNet121, inference)).toThrow(
      "50×64 is not a multiple of 32",
    );
  });
});
