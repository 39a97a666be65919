import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { CompileOptions } from "../../../src/graph/compile.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { worstDifference } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { inTestAll, isQuick } from "../../helpers/quick.ts";
import { goalsOf, randomGraph } from "./random-graph.ts";
import type { RandomGraph } from "./random-graph.ts";

const gpu = useGpu();

type Options = Partial<Omit<CompileOptions, "outputs" | "updates" | "variables">>;

/** The outputs and what has become of all variables; and the plan. */
async function run(
  random: RandomGraph,
  options: Options,
  numbers: { precision?: "f16"; seed?: number } = {},
): Promise<{ results: Record<string, Float32Array>; plan: Plan }> {
  const { goals, feeds } = goalsOf(random, numbers);
  const variables = new Variables(gpu());
  const program = await compile(gpu(), { ...goals, variables, ...options });
  try {
    const names = new Set(program.plan.inputs.map(({ name }) => name));
    const needed = Object.entries(feeds).filter(([name]) => names.has(name));
    const results = (await program.run(Object.fromEntries(needed))) as Record<string, Float32Array>;
    const moved = [...(await variables.readAll())].map(([name, { data }]) => [name, data] as const);
    return { results: { ...results, ...Object.fromEntries(moved) }, plan: program.plan };
  } finally {
    program.destroy();
    variables.destroy();
  }
}

async function differences(random: RandomGraph, options: Options, seed: number): Promise<string[]> {
  const [fused, plain] = [await run(random, options, { seed }), await run(random, { fuse: false }, { seed })];
  expect(Object.keys(fused.results).sort()).toEqual(Object.keys(plain.results).sort());
  return Object.entries(plain.results).flatMap(([name, values]) => {
    const { difference, magnitude } = worstDifference(fused.results[name], values);
    // What cancels, as all that a norm of a norm does to γ and β, is noise of numbers of the order of 1.
    return difference <= 1e-5 * Math.max(magnitude, 1) ? [] : [`${name}: ${difference} of ${magnitude}`];
  });
}

/**
 * Fails where fused and plain differ. A number on the bend of an activation falls to either side, and then gradients are
 * other ones altogether; of other numbers it is not the same one, so what differs is tried with these.
 */
async function compare(random: RandomGraph, options: Options = {}): Promise<void> {
  const first = await differences(random, options, 1);
  if (first.length > 0) expect(await differences(random, options, 2), first.join("; ")).toEqual([]);
}

/** What holds two thirds of the largest images of a plan, which are of a batch of two or three. */
function cuttingLimit(batch: number, { dispatches }: Plan): number {
  const images = dispatches
    .flatMap(({ bindings }) => bindings)
    .filter(({ owner }) => "shape" in owner && owner.shape.length === 4 && owner.shape[0] === batch);
  return Math.ceil((2 / 3) * Math.max(...images.map(({ bytes }) => bytes)));
}

const SEED = 20261128;
const assert = (property: fc.IAsyncPropertyWithHooks<[RandomGraph]>, cases: number): Promise<void> =>
  // A failure prints the seed and the graph; shrinking it would compile for minutes.
  fc.assert(property, { numRuns: cases, seed: SEED, endOnFailure: isQuick });

const norm = { kind: "norm", from: 0, training: true, activation: "relu" } as const;
const conv = { kind: "conv", from: 0, size: 3, strides: 1, filters: 8 } as const;

/** What once went wrong, or what no random graph is likely to have. */
const CASES: Record<string, RandomGraph> = {
  "a product between two norms whose result is asked for": {
    ...{ x: [2, 4, 5, 8], steps: [norm, conv, norm], stacked: false, kept: [1] },
  },
  "joined channels of which some do not come in fours": {
    ...{ x: [2, 4, 5, 5], stacked: true, kept: [] },
    steps: [{ kind: "dense layer", from: 0, bottleneck: 16, growth: 8 }, norm, conv],
  },
  "norms of which only the gradients are asked for, beside one whose result is": {
    ...{ x: [3, 4, 5, 12], stacked: false, kept: [2] },
    steps: [norm, { ...norm, from: 1, activation: "linear" }, { ...norm, from: 2, activation: "swish" }],
  },
  "a convolution of stride 2 after a norm, of odd extents": {
    ...{ x: [2, 5, 5, 8], stacked: false, kept: [] },
    steps: [conv, norm, { ...conv, size: 1, strides: 2 }, norm],
  },
  "a convolution of stride 2 after a norm, of even extents": {
    ...{ x: [2, 6, 4, 8], stacked: false, kept: [] },
    steps: [conv, norm, { ...conv, size: 1, strides: 2 }, norm],
  },
  "a concatenation of channels that do not come in fours, joined with nothing": {
    ...{ x: [2, 4, 4, 4], stacked: false, kept: [] },
    steps: [
      { kind: "slice", from: 0, begin: 0, size: 4 },
      { kind: "norm", from: 3, training: true, activation: "linear" },
      { kind: "dense layer", from: 0, bottleneck: 8, growth: 4 },
      { kind: "norm", from: 0, training: true, activation: "linear" },
      { kind: "slice", from: 3, begin: 4, size: 4 },
      { kind: "conv", from: 0, size: 1, strides: 1, filters: 4 },
      { kind: "concat", from: 0, second: 0 },
      { kind: "conv", from: 0, size: 1, strides: 1, filters: 4 },
    ],
  },
  "an inverted residual block, and what follows it": {
    ...{ x: [2, 5, 6, 8], stacked: true, kept: [] },
    steps: [
      { ...conv, size: 1, filters: 16 },
      { ...norm, activation: "relu6" },
      { kind: "depthwise", from: 0, size: 3, strides: 1 },
      { ...norm, activation: "relu6" },
      { ...conv, size: 1, filters: 8 },
      { kind: "residual", from: 0, second: 4, activation: "linear" },
      { ...conv, size: 1, filters: 12 },
    ],
  },
  "squeeze and excite between a depthwise convolution and a projection, biases and odd channels in stacks": {
    ...{ x: [3, 5, 6, 8], stacked: true, kept: [] },
    steps: [
      { kind: "depthwise", from: 0, size: 3, strides: 1 },
      { ...norm, activation: "swish" },
      { kind: "squeeze", from: 0, filters: 3, activation: "swish" },
      { ...conv, size: 1, filters: 5, bias: true },
      { ...norm, activation: "linear" },
      { kind: "squeeze", from: 0, filters: 4, activation: "relu" },
    ],
  },
  "norms of channels that do not come in fours, in stacks, with sums and products around them": {
    ...{ x: [2, 5, 6, 7], stacked: true, kept: [] },
    steps: [
      { ...conv, size: 1, filters: 11 },
      { ...norm, activation: "relu" },
      { kind: "depthwise", from: 0, size: 3, strides: 1 },
      { ...conv, size: 1, filters: 11 },
      { ...norm, activation: "linear" },
      { ...conv, from: 3, size: 1, filters: 11 },
      { ...norm, activation: "linear" },
      { kind: "add", from: 0, second: 2 },
      { kind: "activation", from: 0, activation: "relu" },
      { ...conv, filters: 6 },
      { ...norm, activation: "swish" },
      { ...conv, filters: 5, strides: 2 },
    ],
  },
  "the same norms, each parameter by itself": {
    ...{ x: [2, 4, 5, 7], stacked: false, kept: [] },
    steps: [{ ...conv, size: 1, filters: 5 }, norm, { ...conv, filters: 6 }, norm, conv],
  },
  "a product that an activation alone reads": {
    ...{ x: [2, 5, 5, 8], stacked: true, kept: [] },
    steps: [
      { ...conv, filters: 6, bias: true },
      { kind: "activation", from: 0, activation: "relu6" },
      { kind: "pool", from: 0, average: false },
      { ...conv, from: 0, size: 1, bias: true },
      { kind: "activation", from: 0, activation: "sigmoid" },
      { kind: "add", from: 0, second: 0 },
    ],
  },
  "residual blocks with an activation after the sum": {
    ...{ x: [2, 4, 5, 8], stacked: false, kept: [] },
    steps: [
      conv,
      { kind: "residual", from: 0, second: 1, activation: "relu" },
      conv,
      { kind: "residual", from: 0, second: 1, activation: "relu" },
      { ...conv, strides: 2 },
    ],
  },
  "a sum of norms beside others in a concatenation, activated before what reads it": {
    ...{ x: [2, 6, 5, 8], stacked: true, kept: [] },
    steps: [
      { kind: "activation", from: 0, activation: "relu" },
      { kind: "depthwise", from: 0, size: 5, strides: 1 },
      { ...conv, size: 1, filters: 8 },
      { ...norm, activation: "linear" },
      { kind: "residual", from: 4, second: 0, activation: "linear" },
      { kind: "concat", from: 0, second: 2 },
      { kind: "activation", from: 0, activation: "relu" },
      { kind: "depthwise", from: 0, size: 3, strides: 2 },
      { ...conv, size: 1, filters: 4 },
    ],
  },
  "an activation that only a sum and a gradient which no product makes read": {
    ...{ x: [2, 4, 4, 4], stacked: false, kept: [] },
    steps: [
      { kind: "activation", from: 0, activation: "relu" },
      { kind: "residual", from: 1, second: 0, activation: "linear" },
      { kind: "activation", from: 1, activation: "relu6" },
      { ...conv, from: 0, size: 1 },
      { kind: "pool", from: 1, average: false },
    ],
  },
  "joined with what is made of it": {
    ...{ x: [2, 4, 5, 8], stacked: false, kept: [] },
    steps: [conv, conv, { kind: "concat", from: 0, second: 1 }, norm, { ...conv, filters: 12 }],
  },
  "a sum joined with one of its terms": {
    ...{ x: [2, 4, 5, 8], stacked: false, kept: [] },
    steps: [
      conv,
      { ...conv, from: 1 },
      { kind: "add", from: 0, second: 1 },
      { kind: "concat", from: 1, second: 0 },
      { ...conv, filters: 12 },
    ],
  },
  "one tensor that two norms read, whose gradients come in another order than the norms'": {
    ...{ x: [2, 4, 5, 8], stacked: true, kept: [] },
    steps: [conv, norm, { ...norm, from: 1, activation: "swish" }, conv, { ...conv, from: 2 }],
  },
  "two blocks of a decoder that upsamples and convolves, a skip connection between them": {
    ...{ x: [2, 3, 2, 8], stacked: true, kept: [] },
    steps: [
      { kind: "transposed", from: 0, second: null, filters: 12, nearest: true },
      norm,
      conv,
      { kind: "transposed", from: 1, second: 0, filters: 8, nearest: true },
      norm,
      { ...conv, filters: 5, bias: true },
    ],
  },
  "elementwise chains between products, with broadcasts and reductions, that a sum and a norm read": {
    ...{ x: [3, 5, 4, 8], stacked: true, kept: [2] },
    steps: [
      conv,
      { kind: "binary", from: 0, name: "multiply", second: "channels" },
      { kind: "unary", from: 0, name: "gelu" },
      { kind: "binary", from: 0, name: "subtract", second: "mean" },
      { ...conv, size: 1 },
      { kind: "layer norm", from: 0 },
      { kind: "where", from: 0, second: 1 },
      { kind: "activation", from: 0, activation: "sigmoid" },
      { kind: "binary", from: 0, name: "add", second: 1 },
      { kind: "binary", from: 0, name: "maximum", second: "number" },
      norm,
    ],
  },
  "chains of channels that do not come in fours": {
    ...{ x: [2, 3, 5, 5], stacked: false, kept: [] },
    steps: [
      { kind: "unary", from: 0, name: "softplus" },
      { kind: "layer norm", from: 0 },
      { kind: "unary", from: 0, name: "sin" },
      { kind: "binary", from: 1, name: "multiply", second: 0 },
      { ...conv, filters: 6 },
      { kind: "unary", from: 0, name: "tanh" },
      { kind: "binary", from: 0, name: "add", second: "channels" },
    ],
  },
  "one tensor that two norms read": {
    ...{ x: [2, 4, 5, 8], stacked: true, kept: [] },
    steps: [
      conv,
      norm,
      conv,
      { ...norm, from: 1, activation: "swish" },
      conv,
      { kind: "add", from: 0, second: 2 },
    ],
  },
};

describe("a fused program", () => {
  it.each(Object.entries(CASES))("computes what its ops compute one by one: %s", (_, random) =>
    compare(random),
  );

  it("computes what its ops compute one by one (any graph)", () =>
    assert(
      fc.asyncProperty(randomGraph, (random) => compare(random)),
      isQuick ? 12 : 30,
    ));

  it("does so where the batch is cut (any graph)", async () => {
    let cut = 0;
    await assert(
      fc.asyncProperty(randomGraph, async (random) => {
        const whole = await run(random, {});
        const maxBindingBytes = cuttingLimit(random.x[0], whole.plan);
        const cannot = await run(random, { maxBindingBytes }).then(
          ({ plan }) => void (cut += plan.summary.dispatches > whole.plan.summary.dispatches ? 1 : 0),
          (error: Error) => error.message,
        );
        if (cannot) expect(cannot).toMatch(/at once and the adapter allows|cannot be cut along the batch/);
        else await compare(random, { maxBindingBytes });
      }),
      isQuick ? 5 : 12,
    );
    expect(cut).toBeGreaterThan(0);
  });

  it.skipIf(isQuick)(inTestAll("does so in workgroup tiles (any graph)"), () =>
    assert(
      fc.asyncProperty(randomGraph, (random) => compare(random, { family: "workgroup" })),
      3,
    ),
  );

  it("rounds no more than its ops where numbers are stored as f16 (any graph)", async ({ skip }) => {
    const { features, adapterName } = gpu();
    skip(!features.has("shader-f16"), `${adapterName} has no half-precision numbers (shader-f16).`);
    await assert(
      fc.asyncProperty(randomGraph, async (random) => {
        const { results: exact } = await run(random, { fuse: false });
        const { results: plain } = await run(random, { fuse: false }, { precision: "f16" });
        const { results: fused } = await run(random, {}, { precision: "f16" });
        for (const [name, values] of Object.entries(exact)) {
          // Where rounding moves a number across a bend, single gradients are other ones altogether.
          const allowed = Math.max(3 * distance(plain[name], values), 0.06);
          expect(distance(fused[name], values), name).toBeLessThan(allowed);
        }
      }),
      isQuick ? 3 : 5,
    );
  });
});

/** ‖actual − expected‖ / ‖expected‖, the latter at least that of ones: what cancels is noise. */
function distance(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  const norm = (values: Float32Array): number => Math.hypot(...values);
  const off = norm(actual.map((value, i) => value - expected[i]));
  return off / Math.max(norm(expected), Math.sqrt(expected.length));
}
