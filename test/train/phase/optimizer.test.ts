import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../../src/config/index.ts";
import type { Said } from "../../../src/config/index.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { ones } from "../../../src/graph/initializers.ts";
import { compile } from "../../../src/graph/compile.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { optimizerText, updatesOf } from "../../../src/train/phase/optimizer.ts";
import type { OptimizerSpec } from "../../../src/train/phase/optimizer.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";

describe("updatesOf", () => {
  const gpu = useGpu();

  /** How far two steps with a gradient of 1/4 take weights of 1 of each part, and what they keep. */
  async function twoSteps(spec: OptimizerSpec): Promise<{ moved: Record<string, number>; kept: string[] }> {
    const graph = new Graph();
    const gradient = graph.input("gradient", [2, 2]);
    const parts = ["encoder", "decoder", "head"];
    const slopes = parts.map((group) => [graph.parameter(group, [2, 2], ones, { group }), gradient] as const);
    const variables = new Variables(gpu());
    const updates = updatesOf(spec, new Map(slopes), { learningRate: 0.01, name: "o" });
    const program = await compile(gpu(), { outputs: {}, updates, variables });
    for (let step = 0; step < 2; step++) await program.run({ gradient: new Float32Array(4).fill(0.25) });
    const values = await variables.readAll();
    program.destroy();
    variables.destroy();
    return {
      moved: Object.fromEntries(parts.map((part) => [part, 1 - values.get(part)!.data[0]])),
      kept: [...values.keys()].filter((name) => !parts.includes(name)).sort(),
    };
  }

  it.each<[OptimizerSpec["optimizer"], Partial<OptimizerSpec>, number]>([
    ["rmsprop", {}, 0.01 * (1 / Math.sqrt(0.1) + 1 / Math.sqrt(0.19))],
    ["adam", {}, 0.02],
    ["adamw", { weightDecay: 0.5 }, 0.02 + 0.005 + 0.005 * 0.985],
    ["sgd", {}, 0.005],
    ["sgd", { sgdMomentum: 0.5 }, 0.0025 * (1 + 1.5)],
    ["sgd", { sgdMomentum: 0.5, nesterov: true }, 0.0025 * (1.5 + 1.75)],
    ["sgd", { weightDecay: 0.5 }, 0.0075 + 0.0025 + 0.005 * (1 - 0.0075)],
  ])("is %s with %j", async (optimizer, numbers, expected) => {
    const { moved } = await twoSteps({ optimizer, ...numbers });
    for (const part of Object.values(moved)) expectClose([part], [expected], 1e-4);
  });

  it.each(["rmsprop", "adam", "adamw", "sgd"] as const)(
    "has the encoder learn at a rate of its own (%s)",
    async (optimizer) => {
      const [all, slow] = [
        await twoSteps({ optimizer }),
        await twoSteps({ optimizer, encoderRateScale: 0.125 }),
      ];
      expectClose([slow.moved.encoder], [0.125 * all.moved.encoder], 1e-4);
      expect({ ...slow.moved, encoder: 0 }).toEqual({ ...all.moved, encoder: 0 });
      expect(slow.kept).toEqual(all.kept);
    },
  );
});

describe("optimizerText", () => {
  it.each<[Said, string]>([
    [{}, "rmsprop"],
    [{ optimizer: "adamw" }, "adamw with weight decay 0.004"],
    [{ optimizer: "sgd" }, "sgd with momentum 0.9"],
    [{ optimizer: "sgd", sgdMomentum: 0, weightDecay: 1e-4 }, "sgd with weight decay 0.0001"],
    [
      { optimizer: "sgd", nesterov: true, weightDecay: 0.5 },
      "sgd with Nesterov's momentum 0.9 and weight decay 0.5",
    ],
  ])("of %j is %s", (said, text) => {
    expect(optimizerText(resolveConfig([{ file: null, said }], "hardware"))).toBe(text);
  });
});
