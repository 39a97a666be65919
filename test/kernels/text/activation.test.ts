import { describe, expect, it } from "vitest";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import {
  ACTIVATION_KINDS,
  activationGradientOfOutputText,
  activationGradientText,
  activationText,
  gradientFollowsFromOutput,
} from "../../../src/kernels/text/activation.ts";
import type { ActivationKind } from "../../../src/kernels/text/activation.ts";
import { laneFor } from "../../../src/kernels/text/lane.ts";
import { perItemKernel } from "../../../src/kernels/text/per-item.ts";
import { expectClose } from "../../helpers/close.ts";
import { finiteDifferences } from "../../helpers/finite-differences.ts";
import { runKernels, useGpu } from "../../helpers/gpu.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const relu6 = (x: number): number => Math.min(Math.max(x, 0), 6);

/** Φ(x) of the normal distribution, by Simpson's rule from −40 on. */
function normal(x: number): number {
  const steps = 4000;
  const width = (x + 40) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-0.5 * (-40 + i * width) ** 2);
  }
  return (sum * width) / 3 / Math.sqrt(2 * Math.PI);
}

/** As Keras 3 defines them. */
const FUNCTIONS: Readonly<Record<ActivationKind, (x: number) => number>> = {
  relu: (x) => Math.max(x, 0),
  relu6,
  swish: (x) => x * sigmoid(x),
  sigmoid,
  hard_swish: (x) => (x * relu6(x + 3)) / 6,
  tanh: Math.tanh,
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  gelu: (x) => x * normal(x),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  linear: (x) => x,
};

/** Numbers on all sides of the corners, none on one. */
const INPUTS = [-9.5, -3.1, -2.9, -1, -0.25, 0.125, 0.8, 2.5, 2.9, 3.1, 5.9, 6.1, 7, 30, -30, 1e-3];
const CORNERS = [0, 6, -3, 3];

describe.each([4, 1])("activations on lanes of %i", (width) => {
  const gpu = useGpu();

  /** Values, gradients from the input and from the output, of each kind, where dy is 2. */
  async function run(x: readonly number[]): Promise<Record<ActivationKind, Float32Array[]>> {
    const { float } = laneFor(width);
    const count = x.length / width;
    const text = ACTIVATION_KINDS.map((kind, i) => {
      const value = activationText(kind, "x", float);
      const dx = activationGradientText(kind, "x", "dy", float);
      const fromOutput = gradientFollowsFromOutput(kind)
        ? activationGradientOfOutputText(kind, "y", "dy", float)
        : "dx";
      return `{ let y = ${value}; let dx = ${dx};
        store_y(${3 * i}u * params.count + index, y);
        store_y(${3 * i + 1}u * params.count + index, dx);
        store_y(${3 * i + 2}u * params.count + index, ${fromOutput}); }`;
    });
    const array = `array<${float}>`;
    const kernel = perItemKernel(kernelTarget(gpu()), count, {
      label: "activations",
      read: { x: array },
      write: { y: array },
      body: `let x = load_x(index); let dy = ${float}(2.0); ${text.join("\n")}`,
    });
    const length = 3 * ACTIVATION_KINDS.length * x.length;
    const { y } = await runKernels(gpu(), [kernel], { x: Float32Array.from(x), y: length }, ["y"]);
    return Object.fromEntries(
      ACTIVATION_KINDS.map((kind, i) => [
        kind,
        [0, 1, 2].map((part) => y.subarray((3 * i + part) * x.length, (3 * i + part + 1) * x.length)),
      ]),
    ) as Record<ActivationKind, Float32Array[]>;
  }

  it("are Keras's, and their gradients the finite differences of these", async () => {
    const results = await run(INPUTS);
    for (const kind of ACTIVATION_KINDS) {
      const f = FUNCTIONS[kind];
      const [slopes] = finiteDifferences(([x]) => x.reduce((sum, each) => sum + 2 * f(each), 0), [INPUTS]);
      const [value, fromInput, fromOutput] = results[kind];
      expectClose(value, INPUTS.map(f), 1e-6, kind);
      expectClose(fromInput, slopes, 1e-6, `gradient of ${kind}`);
      expectClose(fromOutput, slopes, 1e-6, `gradient of ${kind} from its output`);
    }
  });

  it("have the gradient 0 at a corner, as TensorFlow's", async () => {
    const { relu, relu6 } = await run(CORNERS);
    for (const part of [1, 2]) {
      expect([...relu[part]]).toEqual([0, 2, 0, 2]);
      expect([...relu6[part]]).toEqual([0, 0, 0, 2]);
    }
  });

  it("stay finite far out", async () => {
    const results = await run([-1e4, 1e4, -100, 100]);
    expectClose(results.sigmoid[0], [0, 1, 0, 1]);
    expectClose(results.swish[0], [0, 1e4, 0, 100]);
    expectClose(results.swish[1], [0, 2, 0, 2]);
    expectClose(results.hard_swish[1], [0, 2, 0, 2]);
    for (const kind of ACTIVATION_KINDS)
      for (const values of results[kind]) expect(values.every(Number.isFinite), kind).toBe(true);
  });
});

it("says where the output does not tell", () => {
  expect(() => activationGradientOfOutputText("swish", "y", "dy", "f32")).toThrow(
    "The gradient of swish does not follow from its output.",
  );
});
