import { describe, it } from "vitest";
import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import { MATRICES, targetFor } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { checkEveryTile, TILED } from "./tiles-cases.ts";

compileQuickly({ narrow: true });
const gpu = useGpu();

const CASES = [
  ...TILED,
  [
    "wider than a narrow tile",
    conv2dGeometry([1, 11, 13, 72], [1, 1, 72, 76], { strides: 1, padding: "same" }),
  ],
] as const;

describe.each(Object.entries(MATRICES))("every one of the tiles for %s", (_, adapt) => {
  it.for(CASES)("computes a convolution and its gradients, %s", async ([, g], context) => {
    await checkEveryTile(gpu(), targetFor(gpu(), adapt, context), g);
  });
});
