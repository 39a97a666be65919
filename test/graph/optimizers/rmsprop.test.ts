import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { rmsprop } from "../../../src/graph/optimizers/rmsprop.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";
import { beginning, fiveSteps } from "./five-steps.ts";

describe("rmsprop", () => {
  const gpu = useGpu();
  const shapes: Readonly<Record<string, Shape>> = { kernel: [4, 3, 16, 4], bias: [7], scalar: [] };

  function build(learningRate: (graph: Graph) => number | Tensor): {
    updates: ReturnType<typeof rmsprop>;
    parameters: Tensor[];
  } {
    const graph = new Graph();
    const parameters = Object.entries(shapes).map(([name, shape]) =>
      graph.parameter(name, shape, () => randomInput(shape, 1).data),
    );
    const fed = parameters.map(
      (parameter) => [parameter, graph.input(`${parameter.name} gradient`, parameter.shape)] as const,
    );
    return { updates: rmsprop(new Map(fed), { learningRate: learningRate(graph) }), parameters };
  }

  const feeds = (step: number): Record<string, Float32Array> =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        // Gradients of very different sizes, and none at all.
        const { data } = randomInput(shape, step);
        return [`${name} gradient`, data.map((value, i) => (i % 5 === 4 ? 0 : value * 10 ** -(i % 5)))];
      }),
    );

  /** Three steps of Keras's formula in float64. */
  function reference(name: string, rates: readonly number[]): { parameter: number[]; slot: number[] } {
    const parameter = Array.from(randomInput(shapes[name], 1).data);
    const slot = parameter.map(() => 0);
    rates.forEach((rate, step) => {
      feeds(step + 2)[`${name} gradient`].forEach((g, i) => {
        slot[i] = 0.9 * slot[i] + 0.1 * g * g;
        parameter[i] -= (rate * g) / Math.sqrt(slot[i] + 1e-7);
      });
    });
    return { parameter, slot };
  }

  async function compare(fed: boolean, maxBindingBytes?: number): Promise<void> {
    const rates = fed ? [1e-2, 1e-3, 1e-1] : [1e-2, 1e-2, 1e-2];
    const { updates, parameters } = build((graph) => (fed ? graph.input("rate", []) : 1e-2));
    const variables = new Variables(gpu());
    const program = await compile(gpu(), { outputs: {}, updates, variables, maxBindingBytes });
    for (const [step, rate] of rates.entries()) {
      await program.run({ ...feeds(step + 2), ...(fed ? { rate: Float32Array.of(rate) } : {}) });
    }
    for (const { name } of parameters) {
      const expected = reference(name, rates);
      expectClose(await variables.read(name), expected.parameter);
      expectClose(await variables.read(`${name}/rmsprop`), expected.slot);
    }
    program.destroy();
    variables.destroy();
  }

  it("takes three steps as Keras's formula", () => compare(false));
  it("takes a learning rate that is fed at each step", () => compare(true));
  it("is the same when a parameter is cut", () => compare(false, 2 * 3 * 16 * 4 * 4));

  it("takes a learning rate of its own for some parameters: half of it is half the step", async () => {
    const last = async (learningRateScale?: (parameter: Tensor) => number) => {
      const values = await fiveSteps(gpu(), (slopes, options) =>
        rmsprop(slopes, { ...options, learningRateScale }),
      );
      return (name: string) => values.get(name)!.data;
    };
    const [plain, halved] = [await last(), await last(({ name }) => (name === "kernel" ? 0.5 : 1))];
    const first = beginning("kernel");
    expectClose(
      halved("kernel").map((value, i) => 2 * (value - first[i])),
      plain("kernel").map((value, i) => value - first[i]),
    );
    expect(halved("bias")).toEqual(plain("bias"));
    expect(halved("kernel/rmsprop")).toEqual(plain("kernel/rmsprop"));
  });

  it("refuses what it cannot update", () => {
    const graph = new Graph();
    const parameter = graph.parameter("w", [2], () => new Float32Array(2));
    const [two, three] = [graph.input("two", [2]), graph.input("three", [3])];
    const options = { learningRate: 1e-3 };
    expect(() => rmsprop(new Map([[two, two]]), options)).toThrow('"two" is not a variable');
    expect(() => rmsprop(new Map([[parameter, three]]), options)).toThrow('the gradient of "w" [2] is [3]');
    expect(() => rmsprop(new Map([[parameter, two]]), { learningRate: two })).toThrow("must be a scalar");
  });
});
