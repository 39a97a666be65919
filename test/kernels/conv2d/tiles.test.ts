import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  describeTile,
  requestFor,
  tileCandidates,
  tileGroup,
  tileOf,
} from "../../../src/kernels/conv2d/tiles.ts";
import { matrixTile } from "../../../src/kernels/conv2d/matrix-tile.ts";
import { workgroupTile } from "../../../src/kernels/conv2d/workgroup-tile.ts";
import type { MatrixTile } from "../../../src/kernels/conv2d/matrix-tile.ts";
import type { TileOperand, TileRequest } from "../../../src/kernels/tiling.ts";
import type { KernelTarget, SubgroupMatrix } from "../../../src/kernels/kernel.ts";
import { REGISTER, targetFor } from "../../helpers/families.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { compileQuickly } from "../../helpers/quick-compiler.ts";
import { paperGpu, paperTarget } from "../../helpers/target.ts";
import { checkEveryTile, TILED } from "./tiles-cases.ts";

compileQuickly({ wide: true });
const gpu = useGpu();

const matrix = (rows: number, columns: number, depth: number, more: Partial<SubgroupMatrix> = {}) => ({
  ...paperGpu.subgroupMatrix!,
  ...{ rows, columns, depth },
  ...more,
});
const MATRICES = [
  matrix(16, 16, 16, { asksForLanes: true }),
  matrix(8, 8, 8),
  matrix(8, 8, 8, { component: "f32", workgroupMultiple: 64 }),
  matrix(16, 8, 16),
  matrix(8, 16, 16, { lanes: 8, asksForLanes: true, workgroupMultiple: 8 }),
  matrix(16, 16, 16, { lanes: 64, workgroupMultiple: 64 }),
];
const extent = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 300_000 }));
const operand = (...buffers: string[][]): fc.Arbitrary<TileOperand> =>
  fc.record({ buffers: fc.constantFrom(...buffers), width: fc.constantFrom(1, 4) });
const anyRequest: fc.Arbitrary<TileRequest> = fc.record({
  family: fc.constantFrom("register", "workgroup", "matrix"),
  kind: fc.constantFrom("forward", "backwardData", "backwardWeights"),
  rows: extent,
  columns: extent,
  depth: extent,
  taps: fc.constantFrom(1, 9, 49),
  phases: fc.constantFrom(1, 4),
  layers: fc.constantFrom(1, 24),
  left: operand(["x"], ["x", "norm"]),
  store: operand(["y"], ["y", "partials"]),
});
const anyTarget: fc.Arbitrary<KernelTarget> = fc
  .record({
    subgroupSize: fc.constantFrom(0, 4, 8, 16, 32, 64),
    maxWorkgroupBytes: fc.constantFrom(16384, 32768, 49152),
    maxInvocations: fc.constantFrom(256, 1024),
    subgroupMatrix: fc.constantFrom(null, ...MATRICES),
  })
  .map((some) => ({ ...paperTarget, ...some }));
/** What {@link requestFor} makes of a product: only adapters that have tiles for them are asked for matrices. */
const possible = (target: KernelTarget, request: TileRequest): TileRequest =>
  requestFor(
    { ...target, family: request.family === "register" ? "register" : "workgroup" },
    { ...request, half: request.family === "matrix" },
  );

describe("tileCandidates", () => {
  it("lists tiles that the kernels and the adapter can do, each once", () => {
    fc.assert(
      fc.property(anyTarget, anyRequest, (target, any) => {
        const request = possible(target, any);
        const tiles = tileCandidates(target, request);
        expect(tiles.length).toBeGreaterThan(0);
        expect(tiles.length).toBeLessThan(12);
        expect(new Set(tiles.map(describeTile)).size).toBe(tiles.length);
        for (const { rows, columns, steps, workgroups } of tiles) {
          expect(workgroups !== undefined).toBe(request.kind === "backwardWeights");
          if (request.family === "register") {
            const lanes = target.subgroupSize >= 4 ? target.subgroupSize : 8;
            expect([rows % (target.subgroupSize >= 4 ? lanes : 1), columns % (4 * lanes)]).toEqual([0, 0]);
            // Sums of a lane, in vec4: more compile for minutes, on SwiftShader's 4 lanes already half as many.
            const most = target.subgroupSize === 8 ? 64 : Math.max(32, lanes);
            expect((rows * columns) / (4 * lanes)).toBeLessThanOrEqual(most);
            continue;
          }
          const matrices = request.family === "matrix" ? matrixTile(target, { rows, columns, steps }) : null;
          const { threads } = matrices ?? workgroupTile({ rows, columns, steps: steps! });
          expect(threads).toBeLessThanOrEqual(target.maxInvocations);
          if (matrices) checkShares(matrices, target);
          else
            expect(4 * (rows + columns) * steps! + 4 * rows + 16 * threads).toBeLessThanOrEqual(
              target.maxWorkgroupBytes,
            );
          expect(threads % (steps! / 4)).toBe(0);
          if (workgroups !== undefined)
            expect([(steps! * (rows / 4)) % threads, (steps! * (columns / 4)) % threads]).toEqual([0, 0]);
        }
      }),
    );
  });

  it.each([
    [{ family: "register", columns: 64 }, "16×64"],
    [{ family: "register", columns: 32 }, "16×32"],
    [{ family: "register", columns: 64, left: { buffers: ["x"], width: 1 } }, "16×32"],
    [{ family: "workgroup", columns: 32 }, "128×32, 16 steps"],
    [{ family: "workgroup", columns: 33 }, "64×64, 16 steps"],
    [{ family: "workgroup", columns: 64, rows: 64 }, "32×64, 16 steps"],
    [{ family: "workgroup", columns: 64, depth: 3 }, "64×64, 4 steps"],
    [
      { family: "workgroup", kind: "backwardWeights", rows: 32, columns: 8, depth: 3 },
      "128×32, 16 steps, 256 workgroups",
    ],
    [{ family: "register", kind: "backwardWeights" }, "32×32, 64 workgroups"],
    [
      { family: "register", kind: "backwardWeights", left: { buffers: ["x"], width: 1 } },
      "16×32, 64 workgroups",
    ],
  ] as const)("begins with the default: for %j, %s", (some, expected) => {
    const request = { ...REQUEST, ...some };
    expect(describeTile(tileCandidates({ ...paperTarget, subgroupSize: 8 }, request)[0])).toBe(expected);
  });

  it.each([
    [{}, "128×128, 32 steps"],
    [{ columns: 64 }, "128×64, 32 steps"],
    [{ columns: 32 }, "128×32, 32 steps"],
    [{ rows: 2 ** 14 }, "64×128, 32 steps"],
    [{ rows: 2 ** 12 }, "32×64, 32 steps"],
    [{ depth: 12 }, "128×128, 16 steps"],
    [{ kind: "backwardWeights", rows: 64 }, "128×128, 32 steps, 256 workgroups"],
  ] as const)("begins with the default for subgroup matrices: for %j, %s", (some, expected) => {
    const request = { ...REQUEST, family: "matrix" as const, ...some };
    const [subgroupMatrix] = MATRICES;
    const target = { ...paperTarget, subgroupSize: 32, subgroupMatrix, maxWorkgroupBytes: 49152 };
    expect(describeTile(tileCandidates(target, request)[0])).toBe(expected);
  });

  it.each([
    [[64, 64], 64, 2],
    [[128, 64], 128, 2],
    [[128, 32], 128, 1],
    [[32, 64], 64, 1],
    [[32, 32], 32, 1],
  ] as const)(
    "gives invocations 8×8 of a workgroup tile that is large enough: %j",
    ([rows, columns], ...own) => {
      const { threads, vectors } = workgroupTile({ rows, columns });
      expect([threads, vectors]).toEqual(own);
    },
  );

  it("has no tile for matrices where there are none", () => {
    expect(tileCandidates(paperTarget, { ...REQUEST, family: "matrix" })).toEqual([]);
  });
});

/** Fails unless the subgroups' rectangles and the invocations' rows make up the tile, in whole matrices. */
function checkShares(tile: MatrixTile, { subgroupMatrix }: KernelTarget): void {
  const { rows, columns, steps, threads, matrix, ownRows, ownColumns, threadRows } = tile;
  expect((ownRows * ownColumns * threads) / subgroupMatrix!.lanes).toBe(rows * columns);
  expect(4 * threadRows * threads).toBe(rows * columns);
  const whole = [
    ownRows / matrix.rows,
    ownColumns / matrix.columns,
    steps / matrix.depth,
    rows / ownRows,
    columns / ownColumns,
    // Every invocation gets as many rows of each row of matrices.
    threadRows / (ownRows / matrix.rows),
  ];
  for (const count of whole) expect(Number.isInteger(count) && count > 0).toBe(true);
}

const REQUEST: TileRequest = {
  family: "register",
  kind: "forward",
  rows: 2 ** 16,
  columns: 128,
  depth: 256,
  taps: 1,
  phases: 1,
  layers: 1,
  left: { buffers: ["x"], width: 4 },
  store: { buffers: ["y"], width: 4 },
};

describe("tileOf", () => {
  it("takes what the target chooses, if it is in the list, and else the default", () => {
    fc.assert(
      fc.property(anyTarget, anyRequest, fc.nat(20), (target, any, i) => {
        const request = possible(target, any);
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
  it("is called as records of measurements know it", () => {
    const left: TileOperand = { buffers: ["x", "norm"], width: 1 };
    const right: TileOperand = { buffers: ["dy", "y", "coefficients"], width: 4 };
    const store: TileOperand = { buffers: ["dw"], width: 4 };
    expect(tileGroup(REQUEST)).toBe(
      "register conv2d_forward 65536×128×256 taps 1 phases 1 layers 1 x×4 → y×4",
    );
    expect(
      tileGroup({ ...REQUEST, kind: "backwardWeights", layers: 6, left, right, store, half: true }),
    ).toBe(
      "register conv2d_backward_weights 65536×128×256 taps 1 phases 1 layers 6 x+norm×1 dy+y+coefficients×4 → dw×4 f16",
    );
  });

  it("is the same for near shapes, and another for other work", () => {
    const name = tileGroup(REQUEST);
    expect(tileGroup({ ...REQUEST, depth: 130, rows: 2 ** 15 + 1 })).toBe(name);
    for (const other of [
      { depth: 257 },
      { taps: 9 },
      { kind: "backwardData" as const },
      { left: { buffers: ["x", "norm"], width: 4 as const } },
      { right: { buffers: ["dy"], width: 4 as const } },
      { store: { buffers: ["y"], width: 1 as const } },
      { family: "workgroup" as const },
      { half: true },
    ])
      expect(tileGroup({ ...REQUEST, ...other })).not.toBe(name);
  });
});

describe.each(Object.entries(REGISTER))("every one of the %s", (_, adapt) => {
  it.for(TILED)("computes a convolution and its gradients, %s", async ([, g], context) => {
    await checkEveryTile(gpu(), targetFor(gpu(), adapt, context), g);
  });
});
