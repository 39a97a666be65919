import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { ones } from "../../../src/graph/initializers.ts";
import { channelMoments } from "../../../src/graph/ops/moments.ts";
import { updateMovingStatistics } from "../../../src/graph/ops/moving-statistics.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();

const MOMENTA = [0.5, 0.75, 0.9];

/** Three batch norms over `x`; `mean` of `x`. */
function build(): { graph: Graph; mean: Tensor } {
  const graph = new Graph();
  const norm = graph.input("x", [5, 6]);
  const moments = channelMoments(norm);
  const state = (name: string): Tensor => graph.state(name, [6], ones);
  MOMENTA.forEach((momentum, i) => {
    const movingMean = state(`mean${i}`);
    const movingVariance = state(`variance${i}`);
    updateMovingStatistics({ moments, movingMean, movingVariance, momentum, norm });
  });
  return { graph, mean: moments.mean };
}

describe("updateMovingStatistics", () => {
  it("moves those of many batch norms at once, as many as can be bound", () => {
    const moves = (maxStorageBuffers: number): string[] => {
      const { dispatches } = plan({ outputs: { mean: build().mean } }, { ...paperTarget, maxStorageBuffers });
      return dispatches.map(({ kernel }) => kernel.label).filter((label) => label.startsWith("move_moments"));
    };
    expect(moves(8)).toEqual(["move_moments_2", "move_moments_1"]);
    expect(moves(12)).toEqual(["move_moments_3"]);
  });

  it("moves each towards the batch's in every program that computes those, and again", async () => {
    const { mean } = build();
    const variables = new Variables(gpu());
    const program = await compile(gpu(), { outputs: { mean }, variables });
    const x = randomInput([5, 6], 1).data;
    for (let step = 0; step < 2; step++) await program.run({ x });
    const batch = Array.from({ length: 6 }, (_, c) => {
      const column = [0, 1, 2, 3, 4].map((row) => x[6 * row + c]);
      const centre = column.reduce((a, b) => a + b) / 5;
      return [centre, column.reduce((sum, value) => sum + (value - centre) ** 2, 0) / 5];
    });
    for (const [i, momentum] of MOMENTA.entries()) {
      for (const [j, name] of [`mean${i}`, `variance${i}`].entries()) {
        const kept = momentum ** 2;
        const expected = batch.map((moments) => kept + moments[j] * (1 - kept));
        expectClose(await variables.read(name), expected, 1e-6, name);
      }
    }
    program.destroy();
    variables.destroy();
  });

  it("pools the values of several batches, of one value a channel too", async () => {
    for (const rows of [1, 5]) {
      const graph = new Graph();
      const norm = graph.input("x", [rows, 6]);
      const moments = channelMoments(norm);
      const [movingMean, movingVariance] = ["mean", "variance"].map((name) => graph.state(name, [6], ones));
      const momentum = graph.input("kept", []);
      updateMovingStatistics({ moments, movingMean, movingVariance, momentum, norm });
      const variables = new Variables(gpu());
      const program = await compile(gpu(), { outputs: { mean: moments.mean }, variables });
      const batches = [1, 2, 3].map((seed) => Float32Array.from(randomInput([rows, 6], seed).data));
      for (const [k, x] of batches.entries()) await program.run({ x, kept: Float32Array.of(k / (k + 1)) });
      for (let c = 0; c < 6; c++) {
        const values = batches.flatMap((x) => [...x].filter((_, i) => i % 6 === c));
        const mean = values.reduce((a, b) => a + b) / values.length;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
        expectClose((await variables.read("mean")).slice(c, c + 1), [mean], 1e-6, "mean");
        expectClose((await variables.read("variance")).slice(c, c + 1), [variance], 1e-6, "variance");
      }
      program.destroy();
      variables.destroy();
    }
  });

  it("refuses statistics that do not outlive a run", () => {
    const graph = new Graph();
    const norm = graph.input("x", [5, 6]);
    const moments = channelMoments(norm);
    const movingMean = graph.state("mean", [6], ones);
    const movingVariance = graph.input("fed", [6]);
    expect(() =>
      updateMovingStatistics({ moments, movingMean, movingVariance, momentum: 0.9, norm }),
    ).toThrow('"fed" must be a variable to hold moving statistics.');
  });
});
