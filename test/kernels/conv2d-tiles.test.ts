import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conv2dBackwardData } from "../../src/kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights, sumPartials } from "../../src/kernels/conv2d/backward-weights.ts";
import { conv2dForward } from "../../src/kernels/conv2d/forward.ts";
import { conv2dGeometry } from "../../src/kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../../src/kernels/conv2d/geometry.ts";
import { describeTile, sameTile, tileCandidates, tileGroup, tileOf } from "../../src/kernels/conv2d/tiles.ts";
import type { TileRequest } from "../../src/kernels/conv2d/tiles.ts";
import type { Kernel, KernelTarget } from "../../src/kernels/kernel.ts";
import { kernelTarget } from "../../src/kernels/target.ts";
import { expectClose } from "../helpers/close.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { paperTarget } from "../helpers/target.ts";
import { numbers, referenceConv2d, sizes } from "./conv2d-reference.ts";

const gpu = useGpu();

const extent = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 300_000 }));
const anyRequest: fc.Arbitrary<TileRequest> = fc.record({
  family: fc.constantFrom("register", "workgroup"),
  product: fc.constantFrom("conv2d_forward", "conv2d_backward_data", "conv2d_backward_weights"),
  rows: extent,
  columns: extent,
  depth: extent,
  taps: fc.constantFrom(1, 9, 49),
  phases: fc.constantFrom(1, 4),
  layers: fc.constantFrom(1, 24),
  loads: fc.constantFrom("x×1", "x+norm×4"),
  stores: fc.constantFrom("y×1", "y+partials×4"),
});
const anyTarget: fc.Arbitrary<KernelTarget> = fc
  .record({
    subgroupSize: fc.constantFrom(0, 4, 8, 16, 32, 64),
    maxWorkgroupBytes: fc.constantFrom(16384, 32768, 49152),
    maxInvocations: fc.constantFrom(256, 1024),
  })
  .map((some) => ({ ...paperTarget, ...some }));

describe("tileCandidates", () => {
  it("lists tiles that the kernels and the adapter can do, each once", () => {
    fc.assert(
      fc.property(anyTarget, anyRequest, (target, request) => {
        const tiles = tileCandidates(target, request);
        expect(tiles.length).toBeGreaterThan(0);
        expect(tiles.length).toBeLessThan(12);
        expect(new Set(tiles.map(describeTile)).size).toBe(tiles.length);
        for (const { rows, columns, steps, workgroups } of tiles) {
          expect(workgroups !== undefined).toBe(request.product === "conv2d_backward_weights");
          if (request.family === "register") {
            const lanes = target.subgroupSize >= 4 ? target.subgroupSize : 8;
            expect([rows % (target.subgroupSize >= 4 ? lanes : 1), columns % (4 * lanes)]).toEqual([0, 0]);
            // Sums of a lane, in vec4: more spill, and compile for minutes.
            expect((rows * columns) / (4 * lanes)).toBeLessThanOrEqual(Math.max(32, lanes));
            continue;
          }
          const threads = (rows * columns) / 32;
          expect(threads).toBeLessThanOrEqual(target.maxInvocations);
          expect(4 * (rows + columns) * steps! + 4 * rows + 16 * threads).toBeLessThanOrEqual(
            target.maxWorkgroupBytes,
          );
          expect(threads % (steps! / 4)).toBe(0);
          if (request.product === "conv2d_backward_data")
            expect(((columns / 4) * steps!) / 4).toBeLessThanOrEqual(threads);
          if (workgroups !== undefined)
            expect([(steps! * (rows / 4)) % threads, (steps! * (columns / 4)) % threads]).toEqual([0, 0]);
        }
      }),
    );
  });

  it.each([
    [{ family: "register", columns: 64 }, "16×64"],
    [{ family: "register", columns: 32 }, "16×32"],
    [{ family: "register", columns: 64, stores: "y×1" }, "16×32"],
    [{ family: "workgroup", columns: 32 }, "128×32, 16 steps"],
    [{ family: "workgroup", columns: 33 }, "64×64, 16 steps"],
    [{ family: "workgroup", columns: 64, rows: 64 }, "32×64, 16 steps"],
    [{ family: "workgroup", columns: 64, depth: 3 }, "64×64, 4 steps"],
    [
      { family: "workgroup", product: "conv2d_backward_weights", rows: 32, columns: 8, depth: 3 },
      "128×32, 16 steps, 256 workgroups",
    ],
    [{ family: "register", product: "conv2d_backward_weights" }, "16×64, 64 workgroups"],
  ] as const)("begins with the default: for %j, %s", (some, expected) => {
    const request = { ...REQUEST, ...some };
    expect(describeTile(tileCandidates({ ...paperTarget, subgroupSize: 8 }, request)[0])).toBe(expected);
  });
});

const REQUEST: TileRequest = {
  family: "register",
  product: "conv2d_forward",
  rows: 2 ** 16,
  columns: 128,
  depth: 256,
  taps: 1,
  phases: 1,
  layers: 1,
  loads: "x×4",
  stores: "y×4",
};

describe("tileOf", () => {
  it("takes what the target chooses, if it is in the list, and else the default", () => {
    fc.assert(
      fc.property(anyTarget, anyRequest, fc.nat(20), (target, request, i) => {
        const tiles = tileCandidates(target, request);
        expect(tileOf(target, request)).toEqual(tiles[0]);
        expect(tileOf({ ...target, tileFor: () => ({ ...tiles[i] }) }, request)).toEqual(
          tiles[i] ?? tiles[0],
        );
        expect(tileOf({ ...target, tileFor: () => ({ rows: 7, columns: 7 }) }, request)).toEqual(tiles[0]);
      }),
    );
  });
});

describe("tileGroup", () => {
  it("is the same for near shapes, and another for other work", () => {
    const name = tileGroup(REQUEST);
    expect(tileGroup({ ...REQUEST, depth: 130, rows: 2 ** 15 + 1 })).toBe(name);
    for (const other of [
      { depth: 257 },
      { taps: 9 },
      { loads: "x+norm×4" },
      { family: "workgroup" as const },
    ])
      expect(tileGroup({ ...REQUEST, ...other })).not.toBe(name);
  });
});

const FAMILIES: Record<string, (target: KernelTarget) => KernelTarget> = {
  "register tiles": (target) => ({ ...target, family: "register" }),
  "register tiles without subgroups": (target) => ({ ...target, family: "register", subgroupSize: 0 }),
  "workgroup tiles": (target) => ({ ...target, family: "workgroup" }),
};

/** The three products, each in the tiles that stand at place `i` of their lists; undefined past the ends of all lists. */
function productsIn(target: KernelTarget, g: Conv2dGeometry, i: number) {
  const placed = { ...target, tileFor: (request: TileRequest) => tileCandidates(target, request)[i] };
  const weights = conv2dBackwardWeights(placed, g);
  const kernels = { y: conv2dForward(placed, g), dx: conv2dBackwardData(placed, g), dw: weights.partial };
  const asked = ({ tiling }: Kernel): boolean => {
    const tile = tileCandidates(target, tiling!.request).at(i);
    return tile !== undefined && sameTile(tile, tiling!.tile);
  };
  return Object.values(kernels).some(asked) ? { ...kernels, splits: weights.splits } : undefined;
}

describe.each(Object.entries(FAMILIES))("every one of the %s", (_, adapt) => {
  it.for([
    ["channels in fours", conv2dGeometry([3, 14, 13, 36], [3, 3, 36, 40], { strides: 2, padding: "same" })],
    ["odd channels", conv2dGeometry([2, 11, 8, 5], [3, 3, 5, 6], { strides: 1, padding: "same" })],
  ] as const)("computes a convolution and its gradients, %s", async ([, g], { skip }) => {
    const target = adapt(kernelTarget(gpu()));
    const endless = target.family === "workgroup" && /swiftshader/i.test(gpu().adapterName);
    skip(endless, "SwiftShader compiles workgroup tiles, which are for hardware, for minutes.");
    const size = sizes(g);
    const [x, w, dy] = [numbers(size.x, 1), numbers(size.w, 2), numbers(size.y, 3)];
    const expected = referenceConv2d(g, { x, w, dy });
    let tiles = 0;
    for (let i = 0; ; i++) {
      const products = productsIn(target, g, i);
      if (!products) break;
      tiles++;
      const { y, dx, dw, splits } = products;
      const rubbish = (length: number): Float32Array => new Float32Array(length).fill(1e6);
      const actual = await runKernels(gpu(), [y, dx], { x, w, dy, y: rubbish(size.y), dx: rubbish(size.x) }, [
        "y",
        "dx",
      ]);
      const partials = (await runKernels(gpu(), [dw], { x, dy, dw: rubbish(size.w * splits) }, ["dw"])).dw;
      const sum = sumPartials(target, size.w, splits);
      const total = await runKernels(gpu(), [sum], { partials, dw: size.w }, ["dw"]);
      for (const [name, values] of Object.entries({ ...actual, ...total })) {
        const { tile } = products[name as "y"].tiling!;
        expectClose(values, expected[name as "y"], 1e-5, `${name} in ${describeTile(tile)}`);
      }
    }
    expect(tiles).toBeGreaterThan(1);
  });
});
