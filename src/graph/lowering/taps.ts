/**
 * @file Products that gather, as nodes: convolutions, depthwise ones, and their adjoints in the images. What stands around them is
 * theirs to do: two tensors taken for one, a bias, the moments of the result.
 */
import { joinedLoad } from "../../kernels/conv2d/load.ts";
import type { Load } from "../../kernels/conv2d/load.ts";
import type { Epilogue } from "../../kernels/conv2d/epilogue.ts";
import type { TapKernel } from "../../kernels/conv2d/tap-product.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Lowering, Op, Operand } from "../op.ts";
import { shapeText } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";
import type { lowerToMoments } from "./tiles.ts";

/** Images `[N, H, W, C]`, or two of them taken for one, joined along their channels, which are multiples of 4. */
export type Images<D extends DType = DType> = Tensor<D> | readonly [Tensor<D>, Tensor<D>];

export const listed = <D extends DType>(images: Images<D>): readonly Tensor<D>[] =>
  "graph" in images ? [images] : images;

export const channelsOf = (images: Images): number =>
  listed(images).reduce((sum, { shape }) => sum + shape[3], 0);

/** How a product finds the moments of its result while it stores it, and what becomes of their gradients. */
export interface MomentsInPassing extends Pick<NonNullable<Op["moments"]>, "gradient"> {
  readonly lower: typeof lowerToMoments;
}

/** What an op that is such a product says of itself. */
export type Naming = Pick<Op, "name" | "gradient" | "rewriting">;

export interface GatheringNaming extends Naming {
  /** How it finds the moments of its result, where a batch norm may ask for them. */
  readonly moments?: MomentsInPassing;
  /** `[C]`, added to the result; none by default. */
  readonly bias?: Tensor | undefined;
}

/** A product that gathers: a convolution, or its adjoint in the images. */
export interface Taps {
  /** Of the result: `[N, H, W]`, and the channels of each tensor that it is stored into. */
  readonly extents: Shape;
  readonly channels: readonly number[];
  /** How it is stored into two. */
  readonly join?: (channels: readonly [number, number]) => Epilogue;
  /** Whether all phases of the result have as many pixels. */
  readonly evenPhases: boolean;
  readonly product: (l: Lowering, batch: number, fusion: TapsFusion) => TapKernel;
  /** Whether it also finds the moments of channels that do not come in fours. */
  readonly anyMoments: boolean;
  /** Of the kernel's bindings. */
  readonly names: { readonly source: string; readonly result: string };
}

/** What a product that gathers does besides; by default it loads and stores tensors of its own. */
export interface TapsFusion {
  /** By the width of the lanes that it works on. */
  readonly load?: ((width: 4 | 1) => Load) | undefined;
  readonly epilogue?: Epilogue | undefined;
  /** Compute only so many of the result's channels, from the first on; all by default. */
  readonly channels?: number;
  readonly bias?: boolean;
  /** The images are stored as f16, so the operands may be rounded to f16 before they are multiplied; not by default. */
  readonly half?: boolean;
}

/** What a node of {@link Taps} reads. Its outputs are the results and, where it finds them, mean and variance of the first. */
export interface TapsPattern {
  readonly kind: "taps";
  readonly sources: readonly Tensor[];
  readonly kernel: Tensor;
  readonly bias: Tensor | null;
  readonly taps: Taps;
  /** Whether the moments of the result are among the outputs. */
  readonly moments: boolean;
}

/** The names of the bindings of one tensor or of two. */
const names = (name: string, tensors: readonly unknown[]): string[] =>
  [name, `${name}2`].slice(0, tensors.length);

/** {@link joinedLoad} of two tensors; of one, what a product loads by itself. */
export function loadOf(
  { target }: Lowering,
  name: string,
  tensors: readonly Tensor[],
): ((width: 4 | 1) => Load) | undefined {
  if (tensors.length === 1) return undefined;
  const [first, second] = tensors.map(({ shape }, i) => ({
    name: names(name, tensors)[i],
    channels: shape[3],
  }));
  return (width) => joinedLoad(target, width, first, second);
}

export const slices = (
  name: string,
  tensors: readonly Tensor[],
  range: BatchRange,
): Record<string, Operand> =>
  Object.fromEntries(tensors.map((tensor, i) => [names(name, tensors)[i], batchSlice(tensor, range)]));

/** How a product stores tensors of so many channels, one or two. */
export function resultsOf(
  { join }: Taps,
  channels: readonly number[],
): Pick<TapsFusion, "epilogue" | "channels"> {
  const [first, second] = channels;
  if (channels.length === 1) return { channels: first };
  return { channels: first + second, epilogue: join!([first, second]) };
}

/** @returns the results, stored as the images are. */
export function applyTaps<D extends DType>(
  source: Images<D>,
  kernel: Tensor,
  naming: GatheringNaming,
  taps: Taps,
): readonly Tensor<D>[] {
  const { extents, channels, evenPhases, product, names: bindings } = taps;
  const sources = listed(source);
  // What is stored as f16 loses next to nothing when its neighbours in a product are rounded to f16 too.
  const half = sources[0].dtype === "f16";
  const bias = naming.bias ?? null;
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== channels[0])) {
    throw new Error(
      `${naming.name}: the bias "${bias.name}" ${shapeText(bias.shape)} must be [${channels[0]}].`,
    );
  }
  const findsMoments = channels.length === 1 && evenPhases && (taps.anyMoments || channels[0] % 4 === 0);
  const inPassing = findsMoments ? naming.moments : undefined;
  const op: Op = {
    name: naming.name,
    family: "convolution",
    gradient: naming.gradient,
    rewriting: naming.rewriting,
    outputs: [
      ...channels.map((count) => ({ shape: [...extents, count], dtype: sources[0].dtype })),
      ...(inPassing ? [0, 1].map(() => ({ shape: channels, dtype: "f32" as const })) : []),
    ],
    ...(inPassing && { moments: { mean: 1, variance: 2, gradient: inPassing.gradient } }),
    pattern: { kind: "taps", sources, kernel, bias, taps, moments: inPassing !== undefined },
    lower(l, outputs) {
      // Of a skip connection into a frozen encoder nobody asks for the gradient.
      const wanted = channels.length === 2 && !l.uses(outputs[1]) ? channels.slice(0, 1) : channels;
      const results = outputs.slice(0, wanted.length);
      const ranges = l.slices([...sources, ...results]);
      const load = loadOf(l, bindings.source, sources);
      const operands = (range: BatchRange): Record<string, Operand> => ({
        ...slices(bindings.source, sources, range),
        w: kernel,
        ...(bias && { bias }),
        ...slices(bindings.result, results, range),
      });
      const [, mean, variance] = outputs;
      if (inPassing && (l.uses(mean) || l.uses(variance))) {
        inPassing.lower(l, ranges, channels[0], { mean, variance }, (range, epilogue) => ({
          product: product(l, range.count, { load, epilogue, bias: bias !== null, half }),
          operands: operands(range),
        }));
        return;
      }
      const fusion = { load, ...resultsOf(taps, wanted), bias: bias !== null, half };
      for (const range of ranges) l.dispatch(product(l, range.count, fusion).kernel, operands(range));
    },
  };
  const { outputs } = kernel.graph.apply(op, [...sources, kernel, ...(bias ? [bias] : [])]);
  return outputs.slice(0, channels.length) as readonly Tensor[] as readonly Tensor<D>[];
}
