import { expect } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { conv2dBackwardDataFused } from "../../../src/kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights, sumPartials } from "../../../src/kernels/conv2d/backward-weights.ts";
import { conv2dForwardFused } from "../../../src/kernels/conv2d/forward.ts";
import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import { describeTile, sameTile, tileCandidates } from "../../../src/kernels/conv2d/tiles.ts";
import type { TileRequest } from "../../../src/kernels/tiling.ts";
import type { Kernel, KernelTarget } from "../../../src/kernels/kernel.ts";
import { expectClose } from "../../helpers/close.ts";
import { runKernels } from "../../helpers/gpu.ts";
import { numbers, referenceConv2d, sizes } from "./reference.ts";

/** Convolutions that are tried in every tile: of vectors, and of single values. */
export const TILED = [
  ["channels in fours", conv2dGeometry([3, 14, 13, 36], [3, 3, 36, 40], { strides: 2, padding: "same" })],
  ["odd channels", conv2dGeometry([2, 11, 8, 5], [3, 3, 5, 6], { strides: 1, padding: "same" })],
] as const;

/** The three products, each in the tiles that stand at place `i` of their lists; undefined past the ends of all lists. */
function productsIn(target: KernelTarget, g: Conv2dGeometry, i: number) {
  const placed = { ...target, tileFor: (request: TileRequest) => tileCandidates(target, request)[i] };
  const half = true;
  const weights = conv2dBackwardWeights(placed, g, { half });
  const kernels = {
    y: conv2dForwardFused(placed, g, { half }).kernel,
    dx: conv2dBackwardDataFused(placed, g, { half }).kernel,
    dw: weights.partial,
  };
  const asked = ({ tiling }: Kernel): boolean => {
    const tile = tileCandidates(target, tiling!.request).at(i);
    return tile !== undefined && sameTile(tile, tiling!.tile);
  };
  return Object.values(kernels).some(asked) ? { ...kernels, splits: weights.splits } : undefined;
}

/**
 * Fails unless a convolution and its gradients are right in every tile that `target` has for them, or in the first `most`.
 *
 * @param options.widerThan tiles of so many columns or fewer are left out, where other convolutions are tried in them
 * @param options.most tiles that are tried: one compiles for many seconds where matrices are emulated
 */
export async function checkEveryTile(
  gpu: Gpu,
  target: KernelTarget,
  g: Conv2dGeometry,
  { widerThan = 0, most = Infinity } = {},
): Promise<void> {
  const size = sizes(g);
  // Of 10 bits, so that f16 holds them as they are.
  const [x, w, dy] = [size.x, size.w, size.y].map((count, i) =>
    numbers(count, i + 1).map((value) => Math.round(1024 * value) / 1024),
  );
  const expected = referenceConv2d(g, { x, w, dy });
  let tiles = 0;
  for (let i = 0; tiles < most; i++) {
    const products = productsIn(target, g, i);
    if (!products) break;
    const { y, dx, dw, splits } = products;
    if ([y, dx, dw].every(({ tiling }) => tiling!.tile.columns <= widerThan)) continue;
    tiles++;
    const rubbish = (length: number): Float32Array => new Float32Array(length).fill(1e6);
    const actual = await runKernels(
      gpu,
      [y, dx],
      { x, w, dy, y: rubbish(size.y), dx: rubbish(size.x) },
      ["y", "dx"],
      "f16",
    );
    const partials = (await runKernels(gpu, [dw], { x, dy, dw: rubbish(size.w * splits) }, ["dw"], "f16")).dw;
    const sum = sumPartials(target, size.w, splits);
    const total = await runKernels(gpu, [sum], { partials, dw: size.w }, ["dw"]);
    for (const [name, values] of Object.entries({ ...actual, ...total })) {
      const { tile } = products[name as "y"].tiling!;
      expectClose(values, expected[name as "y"], 1e-5, `${name} in ${describeTile(tile)}`);
    }
  }
  expect(tiles).toBeGreaterThan(1);
}
