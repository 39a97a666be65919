import { describe, expect, it } from "vitest";
import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import { depthwiseBackwardWeights } from "../../../src/kernels/depthwise/backward-weights.ts";
import { expectClose } from "../../helpers/close.ts";
import { WORKGROUP, targetFor } from "../../helpers/families.ts";
import { runKernels, useGpu } from "../../helpers/gpu.ts";
import { rubbish } from "../conv2d/channel-embedding.ts";
import { sums } from "../conv2d/fused-reference.ts";
import { numbers } from "../conv2d/reference.ts";
import { depthwiseSizes, referenceByWeights } from "./reference.ts";

describe("a depthwise gradient by weights whose sums do not fit into a GPU's registers", () => {
  const gpu = useGpu();

  it.for<[height: number, width: number, strides: number]>([
    [7, 7, 2],
    [6, 7, 1],
  ])("sums a window of %i×%i, stride %i, in two parts", async ([height, width, strides], context) => {
    const channels = 8;
    const target = targetFor(gpu(), WORKGROUP["workgroup tiles"], context);
    const g = {
      ...conv2dGeometry([2, 11, 9, channels], [height, width, channels, 1], { strides, padding: "same" }),
      outChannels: channels,
    };
    const size = depthwiseSizes(g);
    const [x, dy] = [numbers(size.x, 1), numbers(size.y, 2)];
    const [partialCount, firstPartial] = [3, 1];
    const partial = depthwiseBackwardWeights(target, g, { partialCount, firstPartial });
    const whole = depthwiseBackwardWeights({ ...target, family: "register" }, g, {
      partialCount,
      firstPartial,
    });
    const variables = (wgsl: string): number => wgsl.match(/var sum\d+ =/g)!.length;
    expect(variables(whole.wgsl)).toBe(height * width);
    expect(variables(partial.wgsl)).toBe(Math.ceil(height / 2) * width);

    const results = await runKernels(
      gpu(),
      [partial],
      { x, dy, dw: rubbish((firstPartial + partialCount + 1) * size.w) },
      ["dw"],
    );
    const [begin, end] = [firstPartial * size.w, (firstPartial + partialCount) * size.w];
    expect(results.dw.slice(0, begin)).toEqual(rubbish(begin));
    expect(results.dw.slice(end)).toEqual(rubbish(size.w));
    expectClose(sums(results.dw.slice(begin, end), size.w), referenceByWeights(g, x, dy));
  });
});
