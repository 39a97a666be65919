import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { sgd } from "../../../src/graph/optimizers/sgd.ts";
import type { SgdOptions } from "../../../src/graph/optimizers/sgd.ts";
import { expectClose, worstDifference } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { beginning, CUT, fiveSteps, gradientAt, RATES, SHAPES, slowly, slowlyNamed } from "./five-steps.ts";

type Options = Omit<SgdOptions, "learningRate">;

describe("sgd", () => {
  const gpu = useGpu();

  /** Keras 3's formula in float64. */
  function keras(
    name: string,
    { momentum = 0, nesterov = false, weightDecay = 0, learningRateScale }: Options,
  ) {
    const w = Float64Array.from(beginning(name));
    const v = new Float64Array(w.length);
    let fastest = 0;
    const decay = SHAPES[name].length > 1 ? weightDecay : 0;
    const share = learningRateScale ? slowlyNamed(name) : 1;
    RATES.map((rate) => rate * share).forEach((rate, step) =>
      gradientAt(name, step).forEach((g, i) => {
        w[i] -= w[i] * decay * rate;
        v[i] = momentum * v[i] - g * rate;
        w[i] += nesterov ? momentum * v[i] - g * rate : v[i];
        fastest = Math.max(fastest, Math.abs(v[i]));
      }),
    );
    return { w, v, fastest };
  }

  const run = (options: Options, how: Parameters<typeof fiveSteps>[2] = {}) =>
    fiveSteps(gpu(), (slopes, rest) => sgd(slopes, { ...options, ...rest }), how);

  it.each<[string, Options, number?]>([
    ["without momentum", {}],
    ["with weight decay, biases and norms undecayed", { weightDecay: 0.5 }],
    ["with momentum", { momentum: 0.9 }],
    ["with Nesterov's momentum", { momentum: 0.9, nesterov: true }],
    ["with all of it", { momentum: 0.8, nesterov: true, weightDecay: 0.3, name: "sgd_finetune" }],
    [
      "with a learning rate of its own for some parameters",
      { momentum: 0.9, nesterov: true, weightDecay: 0.3, learningRateScale: slowly },
    ],
    ["where a parameter is cut", { momentum: 0.9, weightDecay: 0.3 }, CUT],
  ])("takes five steps as Keras's formula (%s)", async (_, options, maxBindingBytes) => {
    const values = await run(options, maxBindingBytes ? { maxBindingBytes } : {});
    const { name: slot = "sgd", momentum = 0 } = options;
    for (const name of Object.keys(SHAPES)) {
      const { w, v, fastest } = keras(name, options);
      expectClose(values.get(name)!.data, w, 1e-6, name);
      const velocity = values.get(`${name}/${slot}`)?.data;
      expect(velocity?.length).toBe(momentum > 0 ? v.length : undefined);
      // Where steps cancel, what is left has the rounding of what it was.
      if (velocity) expect(worstDifference(velocity, v).difference).toBeLessThan(1e-6 * fastest);
    }
  });

  it("goes on from its saved variables bit by bit", async () => {
    const options = { momentum: 0.9, nesterov: true, weightDecay: 0.1 };
    const values = await run(options, { end: 2 });
    expect(await run(options, { first: 2, values })).toEqual(await run(options));
  });

  it("refuses what it cannot do", () => {
    const graph = new Graph();
    const w = graph.parameter("w", [2], () => new Float32Array(2));
    const slopes = new Map([[w, graph.input("two", [2])]]);
    const refused = (options: Options) => () => sgd(slopes, { learningRate: 1, ...options });
    for (const momentum of [-0.1, 1, NaN])
      expect(refused({ momentum })).toThrow(
        `sgd: momentum must be at least 0 and below 1, and ${momentum} is not.`,
      );
    expect(refused({ nesterov: true })).toThrow("sgd: Nesterov's momentum needs a momentum above 0.");
    expect(refused({ weightDecay: -1 })).toThrow("sgd: weightDecay must be a number from 0, and -1 is not.");
  });
});
