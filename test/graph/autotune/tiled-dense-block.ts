import { expect } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import type { Plan } from "../../../src/graph/plan.ts";
import { sameTile, tileCandidates } from "../../../src/kernels/conv2d/tiles.ts";
import type { KernelTarget } from "../../../src/kernels/kernel.ts";
import type { TileFor } from "../../../src/kernels/tiling.ts";
import { expectClose } from "../../helpers/close.ts";
import { runBlock } from "../fuse/block.ts";

const [LAYERS, GROWTH] = [2, 8];
/** Narrow and wide tiles in registers; only narrow ones in workgroup memory, which a CPU's compiler takes seconds for. */
const BOTTLENECK = { register: 48, workgroup: 32 } as const;

/** A dense block's result, its gradients and its moved statistics, in the tiles at place `i` of every product's list. */
async function blockIn(gpu: Gpu, family: KernelTarget["family"], i: number) {
  const block = { x: [2, 9, 8, 8], layers: LAYERS, growth: GROWTH, bottleneck: BOTTLENECK[family] };
  const target = { ...kernelTarget(gpu), family };
  const tileFor: TileFor = (request) => tileCandidates(target, request)[i];
  let dispatches: Plan["dispatches"] = [];
  const inspect = (planned: Plan): void => void ({ dispatches } = planned);
  const results = await runBlock(gpu, block, { training: true, family, tileFor, inspect });
  const tiled = dispatches.flatMap(({ kernel: { tiling } }) => tiling ?? []);
  const placed = tiled.filter(({ request, tile }) => {
    const own = tileCandidates(target, request).at(i);
    return own !== undefined && sameTile(own, tile);
  });
  return { placed: placed.length, products: tiled.length, results };
}

/** Fails unless a dense block gives the same in every tile of its products' lists. */
export async function checkBlockInEveryTile(gpu: Gpu, family: KernelTarget["family"]): Promise<void> {
  const usual = await blockIn(gpu, family, 0);
  expect(usual.placed).toBe(usual.products);
  expect(usual.products).toBe(2 * 2 + 2 * 2 + 2);
  let tiles = 1;
  for (; ; tiles++) {
    const { placed, results } = await blockIn(gpu, family, tiles);
    if (placed === 0) break;
    for (const [name, values] of Object.entries(usual.results)) {
      expect(values.length).toBeGreaterThan(1);
      expectClose(results[name], values, 1e-5, `${name} in tile ${tiles}`);
    }
  }
  expect(tiles).toBeGreaterThan(1);
}
