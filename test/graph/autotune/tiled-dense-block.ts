import { expect } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { denseBlock } from "../../../src/graph/ops/dense-block/dense-block.ts";
import { compile } from "../../../src/graph/program.ts";
import { sameTile, tileCandidates } from "../../../src/kernels/conv2d/tiles.ts";
import type { KernelTarget } from "../../../src/kernels/kernel.ts";
import type { TileFor } from "../../../src/kernels/tiling.ts";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import { expectClose } from "../../helpers/close.ts";
import { dot } from "../../helpers/op.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const SHAPE = [2, 9, 8, 8];
const [LAYERS, GROWTH] = [2, 8];
/** Narrow and wide tiles in registers; only narrow ones in workgroup memory, which a CPU's compiler takes seconds for. */
const BOTTLENECK = { register: 36, workgroup: 32 } as const;

/** A dense block's result, its gradients and its moved statistics, in the tiles at place `i` of every product's list. */
async function blockIn(gpu: Gpu, family: KernelTarget["family"], i: number) {
  const bottleneck = BOTTLENECK[family];
  // Channels read by the first convolutions of all layers, and by the second ones.
  const [first, second] = [8 + 16, LAYERS * bottleneck];
  const graph = new Graph();
  const x = graph.input("x", SHAPE);
  const numbers = (name: string, size: number, seed: number, make = (v: number) => v): Tensor =>
    graph.parameter(name, [size], () => randomInput([size], seed).data.map(make));
  const norm = (name: string, size: number, seed: number) => ({
    gamma: numbers(`${name}/gamma`, size, seed, (v) => 1 + 0.3 * v),
    beta: numbers(`${name}/beta`, size, seed + 1),
    movingMean: graph.state(`${name}/mean`, [size], () => new Float32Array(size)),
    movingVariance: graph.state(`${name}/variance`, [size], () => new Float32Array(size).fill(1)),
  });
  const parameters = {
    norm1: norm("norm1", first, 1),
    kernel1: numbers("kernel1", first * bottleneck, 3, (v) => 0.3 * v),
    norm2: norm("norm2", second, 4),
    kernel2: numbers("kernel2", 9 * second * GROWTH, 6, (v) => 0.1 * v),
  };
  const y = denseBlock(x, parameters, {
    layers: LAYERS,
    growth: GROWTH,
    bottleneck,
    epsilon: 1e-3,
    momentum: 0.9,
  });
  const found = gradients(dot(y, graph.input("dy", y.shape)), [x]);
  const outputs = { y, ...Object.fromEntries([...found].map(([{ name }, slope]) => [`d ${name}`, slope])) };
  const target = { ...kernelTarget(gpu), family };
  const tileFor: TileFor = (request) => tileCandidates(target, request)[i];
  const program = await compile(gpu, { outputs, family, tileFor });
  try {
    const tiled = program.plan.dispatches.flatMap(({ kernel: { tiling } }) => tiling ?? []);
    const placed = tiled.filter(({ request, tile }) => {
      const own = tileCandidates(target, request).at(i);
      return own !== undefined && sameTile(own, tile);
    });
    const results = await program.run({
      x: randomInput(SHAPE, 7).data,
      dy: randomInput(y.shape, 8).data,
    });
    return { placed: placed.length, products: tiled.length, results };
  } finally {
    program.destroy();
  }
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
