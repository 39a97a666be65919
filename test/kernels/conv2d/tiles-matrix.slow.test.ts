import { describe, it } from "vitest";
import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import { MATRICES, targetFor } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { checkEveryTile, TILED } from "./tiles-cases.ts";

compileQuickly({ narrow: true });
const gpu = useGpu();

const WIDE = conv2dGeometry([1, 11, 13, 72], [1, 1, 72, 76], { strides: 1, padding: "same" });

describe.each(Object.entries(MATRICES))("every one of the tiles for %s", (_, adapt) => {
  it.for(TILED)("computes a convolution and its gradients, %s", async ([, g], context) => {
    await checkEveryTile(gpu(), targetFor(gpu(), adapt, context), g);
  });

  it("computes a convolution and its gradients, more than 64 channels in the wide tiles that only they are given", async (context) => {
    await checkEveryTile(gpu(), targetFor(gpu(), adapt, context), WIDE, { widerThan: 64 });
  });
});
