import { defineKernel, u32 } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";
import { PRODUCT_LABEL } from "../tiling.ts";
import { pixelSlabs } from "./pixel-slabs.ts";
import { ownColumn } from "./slab.ts";
import { slabArithmetic } from "./slab-arithmetic.ts";
import { tileGrid, tileText } from "./tile-grid.ts";
import { layersText, splitCount, weightsTiling } from "./weights-product.ts";
import type { WeightsKernel, WeightsProduct } from "./weights-product.ts";
import { range, repeat } from "./workgroup-tile.ts";

/**
 * A {@link WeightsProduct} in tiles that are staged in workgroup memory; see slab-arithmetic.ts. Sums are split between any
 * two pixels.
 */
export function weightsProductWorkgroup(target: KernelTarget, product: WeightsProduct): WeightsKernel {
  const { geometry: g, layers, rows, totalRows, columns, params } = product;
  const pixels = g.batch * g.outHeight * g.outWidth;
  const tiling = weightsTiling(target, product);
  const arithmetic = slabArithmetic(target, tiling, "along the rows");
  const { tile, rowOffsets } = arithmetic;
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns) * layers.count;
  const wanted = splitCount(target, product, tiles, tiling.tile.workgroups);
  const pixelsPerSplit = Math.ceil(pixels / wanted / tile.steps) * tile.steps;
  const splits = Math.ceil(pixels / pixelsPerSplit);
  const grid = tileGrid(target, rows, columns, tile, splits * layers.count);
  const layered = layersText(product, splits, tiling.request);
  const { left, right } = layered;
  const vectorColumns = right.width === 4;
  const slabs = pixelSlabs(arithmetic, g, { left, right });

  const vectors = range(arithmetic.vectors);
  const storeText = (r: number, v: number): string =>
    vectorColumns
      ? `if (own${v} < params.outChannels) { store_dw((begin + own${v}) / 4u, sum${r}_${v}); }`
      : range(4)
          .map(
            (j) =>
              `if (own${v} + ${j}u < params.outChannels) { store_dw(begin + own${v} + ${j}u, sum${r}_${v}[${j}]); }`,
          )
          .join(" ");

  const partial = defineKernel({
    label: PRODUCT_LABEL.backwardWeights,
    enable: arithmetic.enable,
    read: { ...left.read, ...right.read },
    write: { dw: vectorColumns ? "array<vec4f>" : "array<f32>" },
    params: {
      ...params,
      ...left.params,
      ...right.params,
      ...layered.params,
      pixels: u32(pixels),
      pixelsPerSplit: u32(pixelsPerSplit),
      ...slabs.params,
      columnTiles: u32(grid.columnTiles),
    },
    workgroups: grid.workgroups,
    body: /* wgsl */ `${left.functions ?? ""}${right.functions ?? ""}
${slabs.functions}${arithmetic.declarations}
${arithmetic.main} {
  ${tileText}
  ${layered.text}
  let firstRow = rowTile * ${tile.rows}u;
  if (firstRow >= rows) { return; }
  let firstColumn = columnTile * ${tile.columns}u;
  ${slabs.declare("split * params.pixelsPerSplit")}
  ${arithmetic.declareSums}
  let end = min((split + 1u) * params.pixelsPerSplit, params.pixels);
  for (var step = split * params.pixelsPerSplit; step < end; step += ${tile.steps}u) {
    ${slabs.fill}
    workgroupBarrier();
    ${arithmetic.addProducts}
    workgroupBarrier();
  }${arithmetic.finish}
  ${repeat(vectors.length, (v) => `let own${v} = firstColumn + ${ownColumn(arithmetic, v)};`)}
  let tileRow = ${arithmetic.ownRow};
  ${repeat(rowOffsets.length, (r) => {
    const row = `firstRow + tileRow + ${rowOffsets[r]}u`;
    const begin = `(split * params.totalRows + rowsBefore + ${row}) * params.outChannels`;
    return `if (${row} < rows) { let begin = ${begin}; ${vectors.map((v) => storeText(r, v)).join(" ")} }`;
  })}
}`,
  });
  return { partial: { ...partial, tiling }, splits, count: totalRows * columns };
}
