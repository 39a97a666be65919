import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { compile } from "../../../src/graph/compile.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { layerNormalization } from "../../../src/graph/ops/layer-normalization.ts";
import { mean } from "../../../src/graph/ops/reduce.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { OpInput } from "../../helpers/op.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";
import { normGradients, normOf } from "./row-norms.ts";

const epsilon = 1e-3;
const inputsOf = (shape: Shape): OpInput[] => [
  randomInput(shape, 1),
  randomInput(shape.slice(-1), 2),
  randomInput(shape.slice(-1), 3),
];
const dataOf = (inputs: readonly OpInput[]): OpInput["data"][] => inputs.map(({ data }) => data);

describe("layerNormalization", () => {
  const gpu = useGpu();

  it.each([
    [[3, 7]],
    [[2, 5, 12]],
    [[1, 1, 1, 3]],
    [[2, 3, 260]],
    [[33, 4]],
    [[5, 3, 64]],
    [[1, 1027]],
  ] as Shape[][])("is its definition at %j, and so are all gradients, in all families", async (shape) => {
    const inputs = inputsOf(shape);
    const { data: dy } = randomInput([sizeOf(shape)], 4);
    const f = (all: readonly ArrayLike<number>[]): Float64Array => normOf({ shape, epsilon }, all);
    const expected = f(dataOf(inputs));
    const slopes =
      sizeOf(shape) < 500
        ? finiteDifferences((all) => dotProduct(f(all), dy), dataOf(inputs))
        : normGradients({ shape, epsilon }, dataOf(inputs), dy);
    for (const options of [
      { family: "register" },
      { family: "register", subgroupSize: 0 },
      { family: "workgroup" },
    ] as const) {
      const { y, gradients } = await runOp(
        gpu(),
        (x, gamma, beta) => layerNormalization(x, { gamma, beta }),
        inputs,
        dy,
        options,
      );
      expectClose(y, expected);
      gradients.forEach((gradient, i) => expectClose(gradient, slopes[i], 1e-5, `gradient ${i}`));
    }
  });

  it.each([
    [[12, 4, 64], 4096],
    // Statistics that are larger than a binding too.
    [[64, 8, 2], 1024],
  ] as [Shape, number][])(
    "gives the same in pieces along the batch of %j",
    async (shape, maxBindingBytes) => {
      const { data: dy } = randomInput([sizeOf(shape)], 4);
      const f = (x: Parameters<typeof layerNormalization>[0], gamma: typeof x, beta: typeof x): typeof x =>
        layerNormalization(x, { gamma, beta });
      const whole = await runOp(gpu(), f, inputsOf(shape), dy);
      const cut = await runOp(gpu(), f, inputsOf(shape), dy, { maxBindingBytes });
      expect(cut.y).toEqual(whole.y);
      expect(cut.gradients[0]).toEqual(whole.gradients[0]);
      expectClose(cut.gradients[1], whole.gradients[1]!, 2e-6);
      expectClose(cut.gradients[2], whole.gradients[2]!, 2e-6);
    },
  );

  it("does without γ, without β, with another ε; of one channel it is β", async () => {
    const [x, gamma, beta] = inputsOf([4, 6]);
    const { data: dy } = randomInput([24], 4);
    const one = new Float32Array(6).fill(1);
    const plain = await runOp(gpu(), (x) => layerNormalization(x, { epsilon: 0.5 }), [x], dy);
    const options = { shape: [4, 6], epsilon: 0.5 };
    const zero = new Float32Array(6);
    expectClose(plain.y, normOf(options, [x.data, one, zero]));
    const slopes = finiteDifferences(([x]) => dotProduct(normOf(options, [x, one, zero]), dy), [x.data]);
    expectClose(plain.gradients[0], slopes[0]);
    const scaled = await runOp(
      gpu(),
      (x, gamma) => layerNormalization(x, { gamma, epsilon: 0.5 }),
      [x, gamma],
      dy,
    );
    expectClose(scaled.y, normOf(options, [x.data, gamma.data, zero]));
    const moved = await runOp(
      gpu(),
      (x, beta) => layerNormalization(x, { beta, epsilon: 0.5 }),
      [x, beta],
      dy,
    );
    expectClose(moved.y, normOf(options, [x.data, one, beta.data]));
    expectClose(
      moved.gradients[1],
      [0, 1, 2, 3, 4, 5].map((c) => dy[c] + dy[6 + c] + dy[12 + c] + dy[18 + c]),
    );
    const single = await runOp(
      gpu(),
      (x, gamma, beta) => layerNormalization(x, { gamma, beta }),
      inputsOf([3, 1]),
      new Float32Array(3).fill(1),
    );
    const [, , { data: value }] = inputsOf([3, 1]);
    expect([...single.y]).toEqual(Array(3).fill(value[0]));
    expect([...single.gradients[0]!].map(Math.abs)).toEqual([0, 0, 0]);
  });

  it("keeps its digits far from 0", async () => {
    const [x, gamma, beta] = inputsOf([3, 64]);
    const far = { ...x, data: Float32Array.from(x.data, (value) => Math.round(value * 8) / 8 + 1000) };
    const { y } = await runOp(
      gpu(),
      (x, gamma, beta) => layerNormalization(x, { gamma, beta }),
      [far, gamma, beta],
      new Float32Array(192),
    );
    expectClose(y, normOf({ shape: [3, 64], epsilon }, dataOf([far, gamma, beta])), 1e-4);
  });

  it("takes f16, one dispatch forward and two back with a sum of partials", async () => {
    const graph = new Graph();
    const x = graph.input("x", [64, 32]);
    const vectors = { gamma: graph.input("gamma", [32]), beta: graph.input("beta", [32]) };
    const y = layerNormalization(x, vectors);
    const found = gradients(mean(y), [x, vectors.gamma, vectors.beta]);
    using forward = await compile(gpu(), { outputs: { y } });
    expect(forward.summary.dispatches).toBe(1);
    using backward = await compile(gpu(), {
      outputs: Object.fromEntries([...found].map(([x, d]) => [x.name, d])),
    });
    const names = backward.plan.dispatches.map(({ kernel }) => kernel.label);
    expect(names.filter((name) => name.includes("norm"))).toEqual([
      "layer_norm_forward",
      "layer_norm_input_gradient",
      "norm_parameter_gradients",
    ]);
    expect(layerNormalization(cast(x, "f16"), vectors).dtype).toBe("f16");
  });

  it("says what does not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3]);
    expect(() => layerNormalization(x, { gamma: graph.input("gamma", [2]) })).toThrow(
      'layerNormalization: "gamma" is [2] and must be [3] to fit "x" [2, 3].',
    );
    expect(() => layerNormalization(graph.input("row", [3]))).toThrow("needs a batch axis");
    expect(() => layerNormalization(graph.input("ids", [2, 3], "u32"))).toThrow(
      'layerNormalization takes floats; "ids" is u32 [2, 3]: cast it to f32 first.',
    );
    expect(() => layerNormalization(x, { epsilon: -1 })).toThrow(
      "layerNormalization: epsilon must be a number from 0 up, not -1.",
    );
  });
});
