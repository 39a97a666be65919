import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Node, Tensor } from "../../../src/graph/graph.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { adam } from "../../../src/graph/optimizers/adam.ts";
import { lossScaling } from "../../../src/graph/optimizers/loss-scaling.ts";
import type { LossScalingOptions } from "../../../src/graph/optimizers/loss-scaling.ts";
import { adamw } from "../../../src/graph/optimizers/adamw.ts";
import { rmsprop } from "../../../src/graph/optimizers/rmsprop.ts";
import { sgd } from "../../../src/graph/optimizers/sgd.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import { sparseSoftmaxCrossEntropy } from "../../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { Program } from "../../../src/graph/program.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();
const OPTIMIZERS = {
  rmsprop,
  adam,
  adamw,
  sgd: (slopes: Parameters<typeof sgd>[0], options: Parameters<typeof sgd>[1]) =>
    sgd(slopes, { momentum: 0.9, nesterov: true, weightDecay: 0.1, ...options }),
};
const SHAPE = [5, 12];

interface Learning {
  readonly program: Program;
  readonly variables: Variables;
  step(dw: Float32Array, db?: Float32Array): Promise<number[]>;
  /** Every variable as it is. */
  state(): Promise<Record<string, number[]>>;
  destroy(): void;
}

/** Two parameters that learn from gradients which are fed; without `options` they are not scaled. */
async function learn(optimizer: keyof typeof OPTIMIZERS, options?: LossScalingOptions): Promise<Learning> {
  const graph = new Graph();
  const w = graph.parameter("w", SHAPE, () => randomInput(SHAPE, 1).data);
  const b = graph.parameter("b", [3], () => randomInput([3], 2).data);
  const slopes = new Map<Tensor, Tensor>([
    [w, graph.input("dw", SHAPE)],
    [b, graph.input("db", [3])],
  ]);
  const checked = options && lossScaling(graph, options).check(slopes);
  const updates: Node[] = OPTIMIZERS[optimizer](slopes, {
    learningRate: 1e-2,
    ...(checked && { gradientScale: checked.factor }),
  });
  const variables = new Variables(gpu());
  const outputs: Record<string, Tensor> = checked ? { norm: checked.norm, factor: checked.factor } : {};
  const program = await compile(gpu(), { outputs, updates, variables });
  return {
    program,
    variables,
    step: async (dw, db = new Float32Array(3)) => Array.from((await program.run({ dw, db })).norm ?? []),
    async state() {
      const all = await variables.readAll();
      return Object.fromEntries([...all].map(([name, { data }]) => [name, Array.from(data)]));
    },
    destroy() {
      program.destroy();
      variables.destroy();
    },
  };
}

const gradient = (seed: number): Float32Array => randomInput(SHAPE, seed).data;

describe.each(["rmsprop", "adam", "adamw", "sgd"] as const)("%s of scaled gradients", (optimizer) => {
  it("learns what it would learn of those as they are, bit by bit", async () => {
    const [plain, scaled] = [await learn(optimizer), await learn(optimizer, { initial: 2 ** 12 })];
    for (const seed of [3, 4, 5]) {
      const [dw, db] = [gradient(seed), randomInput([3], 9 + seed).data];
      await plain.step(dw, db);
      const norm = await scaled.step(
        dw.map((value) => value * 2 ** 12),
        db.map((value) => value * 2 ** 12),
      );
      expectClose(norm, [Math.hypot(...Array.from(dw), ...Array.from(db))]);
    }
    const { "loss_scale/scale": size, "loss_scale/good_steps": steps, ...learned } = await scaled.state();
    expect(learned).toEqual(await plain.state());
    expect([size, steps]).toEqual([[2 ** 12], [3]]);
    for (const learning of [plain, scaled]) learning.destroy();
  });

  it.each([
    ["an infinity", Infinity],
    ["no number", NaN],
    ["a sum of squares that is too large", 3e38],
  ])("leaves everything as it is in a step with %s, and halves the scale", async (_, broken) => {
    const learning = await learn(optimizer, { initial: 8 });
    await learning.step(gradient(3));
    const { "loss_scale/scale": before, "loss_scale/good_steps": good, ...learned } = await learning.state();
    expect([before, good]).toEqual([[8], [1]]);
    for (const expected of [4, 2, 1, 1]) {
      const dw = gradient(4);
      dw[17] = broken;
      dw[18] = broken;
      const norm = (await learning.step(dw))[0];
      expect(Number.isFinite(norm)).toBe(false);
      const { "loss_scale/scale": size, "loss_scale/good_steps": steps, ...rest } = await learning.state();
      expect([size, steps]).toEqual([[expected], [0]]);
      expect(rest).toEqual(learned);
    }
    learning.destroy();
  });
});

describe("lossScaling", () => {
  it("moves as its rule says, whatever comes", async () => {
    const learning = await learn("rmsprop", { initial: 16, growthSteps: 3 });
    let [size, good] = [16, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), async (steps) => {
        for (const fine of steps) {
          await learning.step(gradient(3).fill(fine ? 1 : Infinity, 0, 1));
          good = fine ? good + 1 : 0;
          if (!fine) size = Math.max(1, size / 2);
          if (good === 3) [size, good] = [size * 2, 0];
        }
        const state = await learning.state();
        expect([state["loss_scale/scale"], state["loss_scale/good_steps"]]).toEqual([[size], [good]]);
      }),
      compiledCases(10),
    );
    learning.destroy();
  });

  it("clips gradients by their norm without the scale", async () => {
    const learning = await learn("rmsprop", { initial: 64, clipNorm: 0.5 });
    for (const [size, factor] of [
      [0.25, 1 / 64],
      [2, 0.25 / 64],
    ]) {
      const dw = new Float32Array(60);
      dw[7] = size * 64;
      const { norm, factor: used } = await learning.program.run({ dw, db: new Float32Array(3) });
      expect([norm[0], used[0]]).toEqual([size, factor]);
    }
    learning.destroy();
  });

  it("brings gradients through f16 that would be lost in it", async ({ skip }) => {
    skip(!gpu().features.has("shader-f16"), `${gpu().adapterName} has no half-precision numbers.`);
    const [shape, labels] = [[2, 32, 32, 4], new Uint32Array(2048).fill(1)];
    // Behind weights this small the gradient of a pixel is about 1e-9.
    const kernels = [4, 5].map((seed) => randomInput([1, 1, 4, 4], seed).data.map((value) => 1e-5 * value));
    const slopeOf = async (precision: "f32" | "f16", initial: number): Promise<Float32Array> => {
      const graph = new Graph();
      let x = cast(graph.input("x", shape), precision);
      const parameters = kernels.map((data, i) => graph.parameter(`k${i}`, [1, 1, 4, 4], () => data));
      for (const kernel of parameters) x = conv2d(x, kernel, { strides: 1, padding: "same" });
      const loss = sparseSoftmaxCrossEntropy(x, graph.input("labels", shape.slice(0, 3), "u32"));
      const scaling = lossScaling(graph, { initial });
      const slope = gradients(scale(loss, scaling.scale), parameters).get(parameters[0])!;
      const program = await compile(gpu(), { outputs: { slope } });
      const result = await program.run({ x: randomInput(shape, 6).data, labels });
      program.destroy();
      return (result.slope as Float32Array).map((value) => value / initial);
    };
    const expected = await slopeOf("f32", 1);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0);
    expect(await slopeOf("f16", 1)).toEqual(new Float32Array(16));
    expectClose(await slopeOf("f16", 2 ** 24), expected, 5e-3);
  });

  it("refuses what is out of range", () => {
    const graph = new Graph();
    expect(() => lossScaling(graph, { initial: 0.5 })).toThrow("initial must be a number from 1");
    expect(() => lossScaling(graph, { growthSteps: 1.5 })).toThrow("growthSteps must be a whole number");
    expect(() => lossScaling(graph, { clipNorm: 0 })).toThrow("clipNorm must be a number above 0");
    const w = graph.parameter("w", [2], () => new Float32Array(2));
    const [two, options] = [graph.input("two", [2]), { learningRate: 1e-3 }];
    for (const optimizer of Object.values(OPTIMIZERS)) {
      expect(() => optimizer(new Map([[w, two]]), { ...options, gradientScale: two })).toThrow(
        "the gradients' scale must be a scalar",
      );
    }
  });
});
