import { defineKernel, u32 } from "../kernel.ts";
import type { Kernel, KernelTarget } from "../kernel.ts";
import { tileGrid, tileText } from "./tile-grid.ts";
import { splitCount } from "./weights-product.ts";
import type { WeightsProduct } from "./weights-product.ts";
import {
  ENOUGH_WORKGROUPS,
  THREAD_ROWS,
  addProductsAlongRows,
  declareSums,
  mainText,
  range,
  repeat,
  shareText,
  workgroupTile,
} from "./workgroup-tile.ts";

/** A {@link WeightsProduct} in workgroup-memory tiles; see workgroup-tile.ts. Sums are split between any two pixels. */
export function weightsProductWorkgroup(
  target: KernelTarget,
  product: WeightsProduct,
): { partial: Kernel; splits: number } {
  const { label, geometry: g, rows, columns, params } = product;
  const pixels = g.batch * g.outHeight * g.outWidth;
  // The splits make the workgroups: the tile itself may be large.
  const tile = workgroupTile(rows, columns, Infinity, Infinity);
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns);
  const wanted = splitCount(target, product, tiles, ENOUGH_WORKGROUPS);
  const pixelsPerSplit = Math.ceil(pixels / wanted / tile.steps) * tile.steps;
  const splits = Math.ceil(pixels / pixelsPerSplit);
  const grid = tileGrid(target, rows, columns, tile, splits);
  const vectorRows = g.inChannels % 4 === 0;
  const vectorColumns = columns % 4 === 0;
  const rowQuads = tile.rows / 4;
  const columnQuads = tile.columns / 4;

  // An invocation loads one quad of rows of several pixels. With channels in fours, the quad is one vec4 of one tap.
  const taps = range(vectorRows ? 1 : 4);
  const leftValue = (tap: number): string => `loadLeft(pixel, inside, tap${tap})`;
  const loadLeft = repeat((tile.steps * rowQuads) / tile.threads, (i) => {
    const at = `local + ${i * tile.threads}u`;
    return `{
        let number = step + (${at}) / ${rowQuads}u;
        let pixel = pixelOf(min(number, params.pixels - 1u));
        let inside = number < end;
        leftTile[${at}] = ${vectorRows ? leftValue(0) : `vec4f(${taps.map(leftValue).join(", ")})`};
      }`;
  });
  const loadRight = repeat((tile.steps * columnQuads) / tile.threads, (i) => {
    const at = `local + ${i * tile.threads}u`;
    const column = `firstColumn + 4u * ((${at}) % ${columnQuads}u)`;
    const row = `min(step + (${at}) / ${columnQuads}u, params.pixels - 1u) * params.outChannels`;
    const value = vectorColumns
      ? `dy[(${row} + min(${column}, params.outChannels - 4u)) / 4u]`
      : `vec4f(${range(4)
          .map((j) => `dy[${row} + min(${column} + ${j}u, params.outChannels - 1u)]`)
          .join(", ")})`;
    return `rightTile[${at}] = ${value};`;
  });
  const leftType = vectorRows ? "vec4f" : "f32";

  const partial = defineKernel({
    label,
    read: { x: `array<${leftType}>`, dy: vectorColumns ? "array<vec4f>" : "array<f32>" },
    write: { dw: vectorColumns ? "array<vec4f>" : "array<f32>" },
    params: {
      ...params,
      pixels: u32(pixels),
      pixelsPerSplit: u32(pixelsPerSplit),
      columnTiles: u32(grid.columnTiles),
    },
    workgroups: grid.workgroups,
    body: /* wgsl */ `
struct Tap { y: i32, x: i32, channel: i32 }
struct Pixel { image: i32, y: i32, x: i32 }

fn tapOf(row: u32) -> Tap {
  let tap = row / params.inChannels;
  return Tap(
    i32(tap / params.kernelWidth) - params.padTop,
    i32(tap % params.kernelWidth) - params.padLeft,
    i32(row - tap * params.inChannels),
  );
}

fn pixelOf(number: u32) -> Pixel {
  let line = number / params.outWidth;
  let image = line / params.outHeight;
  return Pixel(
    i32(image),
    i32(line - image * params.outHeight) * params.strideY,
    i32(number - line * params.outWidth) * params.strideX,
  );
}

fn loadLeft(pixel: Pixel, counts: bool, tap: Tap) -> ${leftType} {
  let y = pixel.y + tap.y;
  let column = pixel.x + tap.x;
  let inside = counts && y >= 0 && y < params.inHeight && column >= 0 && column < params.inWidth;
  let at = ((pixel.image * params.inHeight + y) * params.inWidth + column) * i32(params.inChannels) + tap.channel;
  return select(${leftType}(), x[select(0u, u32(at), inside)${vectorRows ? " / 4u" : ""}], inside);
}
${shareText(tile)}
${mainText(tile)} {
  ${tileText}
  let firstRow = rowTile * ${tile.rows}u;
  if (firstRow >= params.rows) { return; }
  let firstColumn = columnTile * ${tile.columns}u;
  ${taps
    .map(
      (j) =>
        `let tap${j} = tapOf(min(firstRow + 4u * (local % ${rowQuads}u) + ${j}u, params.rows - ${vectorRows ? 4 : 1}u));`,
    )
    .join("\n")}
  ${declareSums}
  let end = min((group.z + 1u) * params.pixelsPerSplit, params.pixels);
  for (var step = group.z * params.pixelsPerSplit; step < end; step += ${tile.steps}u) {
    ${loadLeft}
    ${loadRight}
    workgroupBarrier();
    ${addProductsAlongRows(tile)}
    workgroupBarrier();
  }
  let column = firstColumn + 4u * (local % ${columnQuads}u);
  let ownRow = firstRow + local / ${columnQuads}u * ${THREAD_ROWS}u;
  ${repeat(THREAD_ROWS, (r) => {
    const at = `let at = (group.z * params.rows + ownRow + ${r}u) * params.outChannels + column;`;
    return vectorColumns
      ? `if (ownRow + ${r}u < params.rows && column < params.outChannels) { ${at} dw[at / 4u] = sum${r}; }`
      : `if (ownRow + ${r}u < params.rows) { ${at} ${range(4)
          .map((j) => `if (column + ${j}u < params.outChannels) { dw[at + ${j}u] = sum${r}[${j}]; }`)
          .join(" ")} }`;
  })}
}`,
  });
  return { partial, splits };
}
