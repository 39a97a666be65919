/** @file Depthwise convolutions, at shapes of MobileNetV2 (3×3) and EfficientNet-B0 (5×5). */
import * as tf from "@tensorflow/tfjs-core";
import { depthwiseConv2d } from "../../src/graph/ops/depthwise-conv2d.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import type { BenchCase } from "../bench-case.ts";
import type { NetworkSize } from "./convolutions.ts";
import { opCases } from "./op-cases.ts";

/** Stride of the input in the photo, kernel, stride, channels. */
const LAYERS = [
  { stride: 2, kernel: 3, strides: 1, channels: 32 },
  { stride: 2, kernel: 3, strides: 2, channels: 96 },
  { stride: 4, kernel: 3, strides: 1, channels: 144 },
  { stride: 16, kernel: 3, strides: 1, channels: 384 },
  { stride: 32, kernel: 3, strides: 1, channels: 960 },
  { stride: 4, kernel: 5, strides: 2, channels: 144 },
  { stride: 16, kernel: 5, strides: 1, channels: 672 },
];

export const depthwiseCases = ({ batch, size }: NetworkSize): BenchCase[] =>
  LAYERS.flatMap(({ stride, kernel, strides, channels }) => {
    const side = size / stride;
    const x = [batch, side, side, channels];
    const w = [kernel, kernel, channels, 1];
    const y = [batch, Math.ceil(side / strides), Math.ceil(side / strides), channels];
    const flops = 2 * sizeOf(y) * kernel * kernel;
    const moves = [x, w, y];
    return opCases({
      name: `depthwiseConv2d ${kernel}×${kernel}${strides > 1 ? `/${strides}` : ""} ${channels}`,
      shape: x,
      inputs: { x: { shape: x }, w: { shape: w } },
      ours: ({ x, w }) => depthwiseConv2d(x, w, { strides, padding: "same" }),
      theirs: ({ x, w }) => tf.depthwiseConv2d(x, w, strides, "same"),
      rows: [
        { what: "forward", flops, moves },
        { what: "by data", flops, moves, wrt: ["x"] },
        { what: "by weights", flops, moves, wrt: ["w"] },
      ],
    });
  });
