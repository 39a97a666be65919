import { describe, it } from "vitest";
import type { TestContext } from "vitest";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import type { KernelTarget } from "../../../src/kernels/kernel.ts";
import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import { MATRICES, targetFor } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { checkEveryTile, TILED } from "./tiles-cases.ts";

const gpu = useGpu();

const WIDE = conv2dGeometry([1, 11, 13, 72], [1, 1, 72, 76], { strides: 1, padding: "same" });

describe.each(Object.entries(MATRICES))("the first of the tiles for %s", (_, adapt) => {
  /** With all memory, for slabs are in f16 here even where they are emulated. */
  const target = (context: TestContext): KernelTarget => ({
    ...targetFor(gpu(), adapt, context),
    maxWorkgroupBytes: kernelTarget(gpu()).maxWorkgroupBytes,
  });

  it.for(TILED)("computes a convolution and its gradients, %s", async ([, g], context) => {
    await checkEveryTile(gpu(), target(context), g, { most: 4 });
  });

  it("computes a convolution and its gradients, more than 64 channels in the wide tiles that only they are given", async (context) => {
    await checkEveryTile(gpu(), target(context), WIDE, { widerThan: 64, most: 2 });
  });
});
