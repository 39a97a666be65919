/** @file The distinct convolutions of the U-Net, of each kind of layer in a dense block the middle one. */
import * as tf from "@tensorflow/tfjs-core";
import { conv2dTranspose } from "../../src/graph/ops/conv2d-transpose.ts";
import { conv2d } from "../../src/graph/ops/conv2d.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import type { Shape } from "../../src/graph/shape.ts";
import type { BenchCase } from "../bench-case.ts";
import { opCases } from "./op-cases.ts";
import type { OpRow } from "./op-cases.ts";

/** The size and classes of the network that the cases are taken from. */
export interface NetworkSize {
  readonly batch: number;
  /** Side of the square images, a multiple of 32. */
  readonly size: number;
  readonly classes: number;
}

interface Convolution {
  readonly name: string;
  /** Side of the input. */
  readonly side: number;
  readonly kernel: number;
  readonly channels: number;
  readonly filters: number;
  readonly strides?: number;
  /** Of zeros on each side; 0 by default. */
  readonly padding?: number;
}

/** Of each dense block: stride, channels that its middle layer reads. */
const BLOCKS = [
  [4, 160],
  [8, 320],
  [16, 640],
  [32, 768],
];
/** Of each transition: stride, channels. */
const TRANSITIONS = [
  [4, 256],
  [8, 512],
  [16, 1024],
];
/** Of each layer of the decoder: stride of its input, channels, filters (those of the last are the classes). */
const DECODER = [
  [32, 1024, 512],
  [16, 1536, 256],
  [8, 768, 128],
  [4, 384, 64],
  [2, 128, 0],
];

export function convolutionCases(network: NetworkSize): BenchCase[] {
  const { size } = network;
  const stem = { name: "stem", side: size, kernel: 7, channels: 3, filters: 64, strides: 2, padding: 3 };
  const layers: Convolution[] = [
    ...BLOCKS.map(([stride, channels], i) => ({
      ...{ name: `block ${i + 1}`, side: size / stride, kernel: 1, channels, filters: 128 },
    })),
    ...BLOCKS.map(([stride], i) => ({
      ...{ name: `block ${i + 1}`, side: size / stride, kernel: 3, channels: 128, filters: 32, padding: 1 },
    })),
    ...TRANSITIONS.map(([stride, channels], i) => ({
      ...{ name: `transition ${i + 1}`, side: size / stride, kernel: 1, channels, filters: channels / 2 },
    })),
  ];
  return [
    // Nothing needs the gradient of the photos.
    ...conv2dCases(network, stem, ["forward", "by weights"]),
    ...layers.flatMap((layer) => conv2dCases(network, layer, ["forward", "by data", "by weights"])),
    ...DECODER.flatMap(([stride, channels, filters]) =>
      transposedCases(network, size / stride, channels, filters),
    ),
  ];
}

function conv2dCases({ batch }: NetworkSize, conv: Convolution, whats: readonly string[]): BenchCase[] {
  const { name, side, kernel, channels, filters, strides = 1, padding = 0 } = conv;
  const out = (side + 2 * padding - kernel) / strides + 1;
  const shapes = {
    x: [batch, side, side, channels],
    w: [kernel, kernel, channels, filters],
    y: [batch, Math.floor(out), Math.floor(out), filters],
  };
  const zeros = { top: padding, bottom: padding, left: padding, right: padding };
  return opCases({
    name: `conv2d ${name} ${kernel}×${kernel}${strides > 1 ? `/${strides}` : ""} ${channels}→${filters}`,
    shape: shapes.x,
    inputs: { x: { shape: shapes.x }, w: { shape: shapes.w } },
    ours: ({ x, w }) => conv2d(x, w, { strides, padding: zeros }),
    theirs: ({ x, w }) => tf.conv2d(x, w, strides, padding),
    rows: productRows(shapes, sizeOf(shapes.y), whats),
  });
}

function transposedCases(network: NetworkSize, side: number, channels: number, filters: number): BenchCase[] {
  const { batch, classes } = network;
  const out = filters || classes;
  const outShape: [number, number, number, number] = [batch, 2 * side, 2 * side, out];
  const shapes = { x: [batch, side, side, channels], w: [3, 3, out, channels], y: outShape };
  return opCases({
    name: `conv2dTranspose 3×3/2 ${channels}→${out}`,
    shape: shapes.x,
    inputs: { x: { shape: shapes.x }, w: { shape: shapes.w } },
    ours: ({ x, w }) => conv2dTranspose(x, w, { strides: 2, padding: "same" }),
    theirs: ({ x, w }) => tf.conv2dTranspose(x, w, outShape, 2, "same"),
    // Every input pixel meets every tap once.
    rows: productRows(shapes, batch * side * side * out, ["forward", "by data", "by weights"]),
  });
}

/** Three products of as many multiply-adds: those that make `results` sums over a kernel's taps and input channels. */
function productRows(
  { x, w, y }: Readonly<Record<"x" | "w" | "y", Shape>>,
  results: number,
  whats: readonly string[],
): OpRow[] {
  const [kernelHeight, kernelWidth] = w;
  const flops = 2 * results * kernelHeight * kernelWidth * x[3];
  const moves = [x, w, y];
  const wrt: Record<string, string[]> = { "by data": ["x"], "by weights": ["w"] };
  return whats.map((what) => ({ what, flops, moves, ...(what in wrt && { wrt: wrt[what] }) }));
}
