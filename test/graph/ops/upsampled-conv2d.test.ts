import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TestContext } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { concat } from "../../../src/graph/ops/concat.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { upsampledConv2d } from "../../../src/graph/ops/upsampled-conv2d.ts";
import { upsampleBilinear2x } from "../../../src/graph/ops/upsample-bilinear2x.ts";
import { upsampleNearest2x } from "../../../src/graph/ops/upsample-nearest2x.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { compiledCases } from "../../helpers/compiled-cases.ts";
import { mustEmulate, withEmulatedMatrices } from "../../helpers/emulated-matrices.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import type { RunOpOptions } from "../../helpers/op.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

// With barriers, lavapipe compiles each text for seconds.
compileQuickly();
const gpu = useGpu();

interface Case {
  readonly interpolation: "nearest" | "bilinear";
  /** `[N, H, W]`. */
  readonly extents: Shape;
  /** Of one tensor, or of two that are joined. */
  readonly channels: readonly [number] | readonly [number, number];
  readonly filters: number;
  readonly bias: boolean;
}

/** The images, the kernel and the bias. */
const inputsOf = ({ extents, channels, filters, bias }: Case) =>
  [
    ...channels.map((count) => [...extents, count]),
    [3, 3, channels.reduce((sum, count) => sum + count, 0), filters],
    ...(bias ? [[filters]] : []),
  ].map((shape, i) => randomInput(shape, 1 + i));

const partsOf = ({ channels }: Case, inputs: readonly Tensor[]) => ({
  images: inputs.slice(0, channels.length) as [Tensor] | [Tensor, Tensor],
  kernel: inputs[channels.length],
  bias: inputs[channels.length + 1] as Tensor | undefined,
});

const inOne =
  (each: Case) =>
  (...inputs: Tensor[]): Tensor => {
    const { images, kernel, bias } = partsOf(each, inputs);
    const { interpolation } = each;
    return upsampledConv2d(images.length === 1 ? images[0] : images, kernel, { interpolation, bias });
  };

/** Of twice the size, then convolved. */
const oneByOne =
  (each: Case) =>
  (...inputs: Tensor[]): Tensor => {
    const { images, kernel, bias } = partsOf(each, inputs);
    const upsample = each.interpolation === "nearest" ? upsampleNearest2x : upsampleBilinear2x;
    const large = upsample(images.length === 1 ? images[0] : concat(images));
    return conv2d(large, kernel, { strides: 1, padding: "same", bias });
  };

async function compare(each: Case, options: RunOpOptions = {}): Promise<void> {
  const inputs = inputsOf(each);
  const [batch, height, width] = each.extents;
  const { data: dy } = randomInput([batch, 2 * height, 2 * width, each.filters], 9);
  const expected = await runOp(gpu(), oneByOne(each), inputs, dy);
  const actual = await runOp(gpu(), inOne(each), inputs, dy, options);
  expectClose(actual.y, expected.y);
  expected.gradients.forEach((gradient, i) =>
    expectClose(actual.gradients[i], gradient!, 1e-5, `gradient ${i}`),
  );
}

const channels = fc.constantFrom(1, 3, 4, 5, 8, 12, 19, 20);
const extent = fc.integer({ min: 1, max: 5 });
const cases = (interpolation: Case["interpolation"]): fc.Arbitrary<Case> =>
  fc.record({
    interpolation: fc.constant(interpolation),
    extents: fc.tuple(fc.integer({ min: 1, max: 3 }), extent, extent),
    channels: fc.oneof(fc.tuple(channels), fc.tuple(channels, channels)),
    filters: channels,
    bias: fc.boolean(),
  });

/** In fours, joined, in two tiles of columns. */
const BOTH = { extents: [2, 3, 5], channels: [8, 12], filters: 36, bias: true } as const;
const SINGLE = { extents: [2, 3, 5], channels: [5], filters: 7, bias: true } as const;

describe.each(["nearest", "bilinear"] as const)("a convolution behind %s upsampling", (interpolation) => {
  const [JOINED, ODD]: Case[] = [
    { interpolation, ...BOTH },
    { interpolation, ...SINGLE },
  ];

  it("equals the two ops, forward and every gradient", () =>
    fc.assert(
      fc.asyncProperty(cases(interpolation), (each) => compare(each)),
      compiledCases(24),
    ));

  it.each([JOINED, ODD])("does so in workgroup tiles: %j", (each) => compare(each, { family: "workgroup" }));

  // Of the transposed convolution, images of 59 channels begin where a binding may only if they are filled up.
  it.each<{ each: Case; maxBindingBytes: number }>([
    { each: { ...JOINED, extents: [5, 8, 6], filters: 8 }, maxBindingBytes: 16384 },
    { each: { ...ODD, extents: [3, 8, 4], channels: [8], filters: 59 }, maxBindingBytes: 100_000 },
  ])("does so where the batch is cut: $each.filters filters", ({ each, maxBindingBytes }) =>
    compare(each, { maxBindingBytes }),
  );

  it.for([
    { family: "register", each: JOINED },
    { family: "register", each: ODD },
    { family: "workgroup", each: JOINED },
    { family: "matrices", each: JOINED },
  ] as const)("holds images stored as f16, $family", async ({ family, each }, context) => {
    needsHalf(context);
    const matrices = family === "matrices";
    const device = matrices && mustEmulate(gpu()) ? withEmulatedMatrices(gpu()) : gpu();
    const inputs = inputsOf(each);
    const [batch, height, width] = each.extents;
    const { data: dy } = randomInput([batch, 2 * height, 2 * width, each.filters], 9);
    const half = (...tensors: Tensor[]): Tensor => {
      const images = tensors.slice(0, each.channels.length).map((x) => cast(x, "f16"));
      return cast(inOne(each)(...images, ...tensors.slice(each.channels.length)), "f32");
    };
    const expected = await runOp(gpu(), oneByOne(each), inputs, dy);
    const actual = await runOp(device, half, inputs, dy, { family: matrices ? "workgroup" : family });
    // Images are rounded before, and so are the terms of a result, with matrices the kernel too.
    expectClose(actual.y, expected.y, 4 * ROUNDING);
    expected.gradients.forEach((gradient, i) =>
      expectClose(actual.gradients[i], gradient!, 4 * ROUNDING, `gradient ${i}`),
    );
  });

  it("has the gradients that finite differences have", async () => {
    const each: Case = { interpolation, extents: [2, 2, 3], channels: [3], filters: 2, bias: true };
    const inputs = inputsOf(each);
    const { data: dy } = randomInput([2, 4, 6, 2], 9);
    const { y, gradients } = await runOp(gpu(), inOne(each), inputs, dy);
    const data = inputs.map((input) => input.data);
    expectClose(y, byDefinition(each, data), 1e-6);
    const expected = finiteDifferences((moved) => dotProduct(byDefinition(each, moved), dy), data);
    expected.forEach((gradient, i) => expectClose(gradients[i], gradient, 1e-5, `gradient ${i}`));
  });

  it("makes no image of twice the size on the way, and no concatenation", () => {
    const graph = new Graph();
    const tensors = inputsOf(JOINED).map(({ shape }, i) => graph.input(`input_${i}`, shape));
    expect(inOne(JOINED)(...tensors).shape).toEqual([2, 6, 10, 36]);
    expect(graph.nodes.map(({ op }) => op.name)).toEqual([
      ...(interpolation === "bilinear" ? ["repeat_edges", "repeat_edges"] : []),
      ...["turn_kernel", "conv2d_transpose"],
      ...(interpolation === "bilinear" ? ["bilinear_sums", "bias_add"] : ["fill", "window_sums", "bias_add"]),
    ]);
  });

  it("refuses kernels that are not 3×3, and channels that do not fit", () => {
    const graph = new Graph();
    const x = graph.input("x", [1, 4, 4, 8]);
    expect(() => upsampledConv2d(x, graph.input("large", [3, 5, 8, 4]))).toThrow(
      'the kernel "large" [3, 5, 8, 4] must be [3, 3, in, out].',
    );
    expect(() => upsampledConv2d(x, graph.input("flat", [3, 8, 4]))).toThrow("must be [3, 3, in, out]");
    expect(() => upsampledConv2d(x, graph.input("narrow", [3, 3, 4, 8]))).toThrow("do not fit");
  });
});

/** Halves have 11 bits. */
const ROUNDING = 2 ** -10;

const needsHalf = ({ skip }: TestContext): void => {
  const { features, adapterName } = gpu();
  skip(!features.has("shader-f16"), `${adapterName} has no half-precision numbers (shader-f16).`);
};

/** In float64, of one image tensor. */
function byDefinition(
  { interpolation, extents: [batch, height, width], channels: [inChannels], filters }: Case,
  [x, w, bias]: readonly ArrayLike<number>[],
): Float64Array {
  const y = new Float64Array(batch * 4 * height * width * filters);
  const rows = Array.from({ length: 2 * height }, (_, i) => madeOf(interpolation, i, height));
  const columns = Array.from({ length: 2 * width }, (_, i) => madeOf(interpolation, i, width));
  for (let n = 0, at = 0; n < batch; n++)
    for (let oy = 0; oy < 2 * height; oy++)
      for (let ox = 0; ox < 2 * width; ox++)
        for (let co = 0; co < filters; co++, at++) {
          y[at] = bias[co];
          for (let ky = 0; ky < 3; ky++)
            for (let kx = 0; kx < 3; kx++)
              for (const [iy, rowShare] of rows[oy + ky - 1] ?? [])
                for (const [ix, columnShare] of columns[ox + kx - 1] ?? []) {
                  const pixel = ((n * height + iy) * width + ix) * inChannels;
                  for (let ci = 0; ci < inChannels; ci++)
                    y[at] +=
                      rowShare *
                      columnShare *
                      x[pixel + ci] *
                      w[((3 * ky + kx) * inChannels + ci) * filters + co];
                }
        }
  return y;
}

/** The small pixels along an axis that large pixel `i` is made of, and their shares. */
function madeOf(
  interpolation: Case["interpolation"],
  i: number,
  extent: number,
): [pixel: number, share: number][] {
  if (interpolation === "nearest") return [[i >> 1, 1]];
  const neighbour = (i >> 1) + (i % 2 === 0 ? -1 : 1);
  return [
    [i >> 1, 0.75],
    [Math.min(Math.max(neighbour, 0), extent - 1), 0.25],
  ];
}
