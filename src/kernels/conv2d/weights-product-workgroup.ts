import { defineKernel, u32 } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";
import { PRODUCT_LABEL } from "../tiling.ts";
import { ownColumn, putTurned } from "./slab.ts";
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
  const { tile, putLeft, putRight, rowOffsets } = arithmetic;
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns) * layers.count;
  const wanted = splitCount(target, product, tiles, tiling.tile.workgroups);
  const pixelsPerSplit = Math.ceil(pixels / wanted / tile.steps) * tile.steps;
  const splits = Math.ceil(pixels / pixelsPerSplit);
  const grid = tileGrid(target, rows, columns, tile, splits * layers.count);
  const layered = layersText(product, splits, tiling.request);
  const { left, right } = layered;
  const vectorRows = left.width === 4;
  const vectorColumns = right.width === 4;
  const rowQuads = tile.rows / 4;
  const columnQuads = tile.columns / 4;

  // An invocation loads one quad of rows of several pixels. With channels in fours, the quad is one vec4 of one tap.
  const taps = range(vectorRows ? 1 : 4);
  const zero = vectorRows ? "vec4f()" : "0.0";
  const lane = (tap: number): string => `u32(tap${tap}.channel)${vectorRows ? " / 4u" : ""}`;
  const leftValue = (tap: number): string =>
    `select(${zero}, ${left.value(lane(tap), `${tap}`, `Left${tap}`)}, place${tap} >= 0)`;
  const leftText = (tap: number): string =>
    `let place${tap} = sourcePixel(pixel, number < end, tap${tap}); ${left.pixel(`u32(max(place${tap}, 0))`, `${tap}`)}`;
  /** Declares `value`, x at pixel `number` of the sum. */
  const loadLeft = (number: string): string => `let number = ${number};
        let pixel = pixelOf(min(number, params.pixels - 1u));
        ${repeat(taps.length, leftText)}
        let value = ${vectorRows ? leftValue(0) : `vec4f(${taps.map(leftValue).join(", ")})`};`;
  /** Declares `value`, dy at pixel `number`. */
  const loadRight = (number: string): string => `${right.pixel(`min(${number}, params.pixels - 1u)`, "")}
        let value = ${
          vectorColumns
            ? right.value("columnQuad", "", "Right")
            : `vec4f(${range(4)
                .map((j) => right.value(`min(column + ${j}u, params.outChannels - 1u)`, ""))
                .join(", ")})`
        };`;
  /** Loads a slab, of which every invocation has one quad of rows or columns, of `across`. */
  const slabText = (load: (number: string) => string, put: typeof putLeft, across: number): string => {
    if (!arithmetic.turned)
      return repeat((tile.steps * across) / tile.threads, (i) => {
        const at = `local + ${i * tile.threads}u`;
        return `{
        ${load(`step + (${at}) / ${across}u`)}
        ${put(at, "value")}
      }`;
      });
    const { quads, beside } = turnedShare(across);
    const all = quads % beside === 0;
    return repeat(Math.ceil(quads / beside), (i) => {
      const quad = `(local % ${beside}u + ${i * beside}u)`;
      return `${all ? "" : `if (${quad} < ${quads}u) `}{
        ${repeat(4, (k) => `var value${k}: vec4f; { ${load(`step + 4u * ${quad} + ${k}u`)} value${k} = value; }`)}
        ${putTurned(
          put,
          range(4).map((k) => `value${k}`),
          { line: `4u * ${quadOf(across)}`, length: quads, at: quad },
        )}
      }`;
    });
  };
  /** Of a slab that is turned: fours of pixels in it, and invocations that share its line of rows or columns out. */
  const turnedShare = (across: number) => ({ quads: tile.steps / 4, beside: tile.threads / across });
  /** The quad of rows or columns that an invocation loads: where slabs are turned, neighbours load neighbouring pixels. */
  const quadOf = (across: number): string =>
    arithmetic.turned ? `(local / ${turnedShare(across).beside}u)` : `(local % ${across}u)`;

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
      columnTiles: u32(grid.columnTiles),
    },
    workgroups: grid.workgroups,
    body: /* wgsl */ `${left.functions ?? ""}${right.functions ?? ""}
struct Tap { y: i32, x: i32, channel: i32 }
struct Pixel { image: i32, y: i32, x: i32 }

fn tapOf(row: u32, channels: u32) -> Tap {
  let tap = row / channels;
  return Tap(
    i32(tap / params.kernelWidth) - params.padTop,
    i32(tap % params.kernelWidth) - params.padLeft,
    i32(row - tap * channels),
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

/** The pixel of x under a tap, or −1. */
fn sourcePixel(pixel: Pixel, counts: bool, tap: Tap) -> i32 {
  let y = pixel.y + tap.y;
  let x = pixel.x + tap.x;
  let inside = counts && y >= 0 && y < params.inHeight && x >= 0 && x < params.inWidth;
  return select(-1, (pixel.image * params.inHeight + y) * params.inWidth + x, inside);
}
${arithmetic.declarations}
${arithmetic.main} {
  ${tileText}
  ${layered.text}
  let firstRow = rowTile * ${tile.rows}u;
  if (firstRow >= rows) { return; }
  let firstColumn = columnTile * ${tile.columns}u;
  ${taps
    .map(
      (j) =>
        `let tap${j} = tapOf(min(firstRow + 4u * ${quadOf(rowQuads)} + ${j}u, rows - ${vectorRows ? 4 : 1}u), channels); ${left.channel(lane(j), `Left${j}`)}`,
    )
    .join("\n")}
  let column = firstColumn + 4u * ${quadOf(columnQuads)};
  ${vectorColumns ? `let columnQuad = min(column, params.outChannels - 4u) / 4u; ${right.channel("columnQuad", "Right")}` : ""}
  ${arithmetic.declareSums}
  let end = min((split + 1u) * params.pixelsPerSplit, params.pixels);
  for (var step = split * params.pixelsPerSplit; step < end; step += ${tile.steps}u) {
    ${slabText(loadLeft, putLeft, rowQuads)}
    ${slabText(loadRight, putRight, columnQuads)}
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
