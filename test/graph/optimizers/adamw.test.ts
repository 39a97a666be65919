import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { adam } from "../../../src/graph/optimizers/adam.ts";
import { adamw } from "../../../src/graph/optimizers/adamw.ts";
import type { AdamWOptions } from "../../../src/graph/optimizers/adamw.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { beginning, CUT, fiveSteps, gradientAt, RATES, SHAPES, slowly, slowlyNamed } from "./five-steps.ts";

describe("adamw", () => {
  const gpu = useGpu();

  /** Keras 3's formula in float64. */
  function keras(
    name: string,
    { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0.004 }: Omit<AdamWOptions, "learningRate">,
    share = (_: string) => 1,
  ) {
    const w = Float64Array.from(beginning(name));
    const [m, v] = [new Float64Array(w.length), new Float64Array(w.length)];
    const decay = SHAPES[name].length > 1 ? weightDecay : 0;
    RATES.map((rate) => rate * share(name)).forEach((rate, step) => {
      const alpha = (rate * Math.sqrt(1 - beta2 ** (step + 1))) / (1 - beta1 ** (step + 1));
      gradientAt(name, step).forEach((g, i) => {
        w[i] -= w[i] * decay * rate;
        m[i] += (g - m[i]) * (1 - beta1);
        v[i] += (g * g - v[i]) * (1 - beta2);
        w[i] -= (alpha * m[i]) / (Math.sqrt(v[i]) + epsilon);
      });
    });
    return { w, m, v };
  }

  async function compare(
    options: Omit<AdamWOptions, "learningRate">,
    maxBindingBytes?: number,
    share?: (name: string) => number,
  ) {
    const values = await fiveSteps(
      gpu(),
      (slopes, rest) => adamw(slopes, { ...options, ...rest }),
      maxBindingBytes ? { maxBindingBytes } : {},
    );
    const { name: slots = "adamw" } = options;
    for (const name of Object.keys(SHAPES)) {
      const { w, m, v } = keras(name, options, share);
      expectClose(values.get(name)!.data, w, 1e-6, name);
      expectClose(values.get(`${name}/${slots}_m`)!.data, m, 1e-6, `m of ${name}`);
      expectClose(values.get(`${name}/${slots}_v`)!.data, v, 1e-6, `v of ${name}`);
    }
    expect(values.get(`${slots}/step`)!.data).toEqual(Float32Array.of(RATES.length));
  }

  it("takes five steps as Keras's formula, biases and norms undecayed", () => compare({}));
  it("takes another weight decay, betas, epsilon and name", () =>
    compare({ weightDecay: 0.5, beta1: 0.5, beta2: 0.9, epsilon: 1e-3, name: "adamw_finetune" }));
  it("is the same when a parameter is cut", () => compare({ weightDecay: 0.5 }, CUT));

  it("takes a learning rate of its own for some parameters", () =>
    compare({ weightDecay: 0.5, learningRateScale: slowly }, undefined, slowlyNamed));

  it("is Adam, bit by bit, without weight decay", async () => {
    const plain = await fiveSteps(gpu(), (slopes, options) => adam(slopes, { ...options, name: "o" }));
    const without = await fiveSteps(gpu(), (slopes, options) =>
      adamw(slopes, { ...options, name: "o", weightDecay: 0 }),
    );
    expect(without).toEqual(plain);
  });

  it("goes on from its saved variables bit by bit", async () => {
    const through = await fiveSteps(gpu(), adamw);
    const values = await fiveSteps(gpu(), adamw, { end: 3 });
    expect(await fiveSteps(gpu(), adamw, { first: 3, values })).toEqual(through);
  });

  it("refuses what it cannot do", () => {
    const graph = new Graph();
    const w = graph.parameter("w", [2], () => new Float32Array(2));
    const slopes = new Map([[w, graph.input("two", [2])]]);
    for (const weightDecay of [-1, NaN, Infinity])
      expect(() => adamw(slopes, { learningRate: 1, weightDecay })).toThrow(
        `adamw: weightDecay must be a number from 0, and ${weightDecay} is not.`,
      );
    expect(() => adamw(slopes, { learningRate: 1, beta1: 0 })).toThrow(
      "adamw: beta1 must lie between 0 and 1, and 0 does not.",
    );
  });
});
