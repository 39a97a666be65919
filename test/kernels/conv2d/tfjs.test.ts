import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { conv2dBackwardData } from "../../../src/kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights } from "../../../src/kernels/conv2d/backward-weights.ts";
import { conv2dForward } from "../../../src/kernels/conv2d/forward.ts";
import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import { expectClose } from "../../helpers/close.ts";
import { runKernels, useGpu } from "../../helpers/gpu.ts";
import { tfjsReference } from "../../helpers/tfjs-reference.ts";
import { numbers, sizes } from "./reference.ts";

const gpu = useGpu();

type Shape4 = [number, number, number, number];

const CASES: [x: Shape4, kernel: Shape4, strides: number, padding: "same" | "valid"][] = [
  [[2, 8, 6, 8], [3, 3, 8, 12], 2, "same"],
  [[2, 7, 9, 5], [3, 3, 5, 3], 2, "same"],
  [[1, 6, 7, 4], [5, 2, 4, 8], 1, "same"],
  [[1, 9, 8, 3], [7, 7, 3, 4], 1, "valid"],
  [[2, 4, 4, 59], [3, 3, 59, 16], 2, "same"],
  [[1, 5, 5, 8], [1, 1, 8, 4], 3, "valid"],
];

describe.each(CASES)(
  "conv2d of %j with the kernel %j, stride %j, %s",
  (xShape, kernelShape, strides, padding) => {
    const g = conv2dGeometry(xShape, kernelShape, { strides, padding });
    const size = sizes(g);
    const yShape = [g.batch, g.outHeight, g.outWidth, g.outChannels];
    const x = numbers(size.x, 1);
    const w = numbers(size.w, 2);
    const dy = numbers(size.y, 3);

    it("is tf.conv2d, and its gradients", async () => {
      const target = kernelTarget(gpu());
      const { partial, splits } = conv2dBackwardWeights(target, g);
      expect(splits).toBe(1);
      const { y, dx, dw } = await runKernels(
        gpu(),
        [conv2dForward(target, g), conv2dBackwardData(target, g), partial],
        { x, w, dy, y: size.y, dx: size.x, dw: size.w },
        ["y", "dx", "dw"],
      );
      const expected = tfjsReference(
        (image, kernel) => tf.conv2d(image as tf.Tensor4D, kernel as tf.Tensor4D, strides, padding),
        [
          { shape: xShape, data: x },
          { shape: kernelShape, data: w },
        ],
        dy,
      );
      expectClose(y, expected.y);
      expectClose(dx, expected.gradients[0]);
      expectClose(dw, expected.gradients[1]);
    });

    it("by data is tf.conv2dTranspose, with the others as its gradients", async () => {
      const target = kernelTarget(gpu());
      const { dx, y, dw } = await runKernels(
        gpu(),
        [conv2dBackwardData(target, g), conv2dForward(target, g), conv2dBackwardWeights(target, g).partial],
        { dy, w, x, dx: size.x, y: size.y, dw: size.w },
        ["dx", "y", "dw"],
      );
      const expected = tfjsReference(
        (image, kernel) =>
          tf.conv2dTranspose(image as tf.Tensor4D, kernel as tf.Tensor4D, xShape, strides, padding),
        [
          { shape: yShape, data: dy },
          { shape: kernelShape, data: w },
        ],
        x,
      );
      expectClose(dx, expected.y);
      expectClose(y, expected.gradients[0]);
      expectClose(dw, expected.gradients[1]);
    });
  },
);
