import { defineKernel, u32 } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";
import { PRODUCT_LABEL } from "../tiling.ts";
import {
  addProducts,
  declareSums,
  eachRow,
  enableText,
  mainText,
  ownRow,
  range,
  registerTile,
  repeat,
} from "./register-tile.ts";
import { tileGrid, tileText } from "./tile-grid.ts";
import { layersText, splitCount, weightsTiling } from "./weights-product.ts";
import type { WeightsKernel, WeightsProduct } from "./weights-product.ts";

/** Pixels that one turn of the loop adds. */
const STEPS = 4;

/** A {@link WeightsProduct} in register tiles; see register-tile.ts. */
export function weightsProductRegister(target: KernelTarget, product: WeightsProduct): WeightsKernel {
  const { geometry: g, layers, rows, totalRows, columns, params } = product;
  const tiling = weightsTiling(target, product);
  const tile = registerTile(target, tiling.tile);
  const own = range(tile.rowsPerLane);
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns) * layers.count;
  const pixels = g.batch * g.outHeight * g.outWidth;
  const wanted = splitCount(target, product, tiles, tiling.tile.workgroups);
  const pixelsPerSplit = STEPS * Math.ceil(pixels / (STEPS * wanted));
  const splits = Math.ceil(pixels / pixelsPerSplit);
  const grid = tileGrid(target, rows, columns, tile, splits * layers.count);
  const layered = layersText(product, splits, tiling.request);
  const { left, right } = layered;
  const vector = right.width === 4;
  const firstColumn = (v: number): string => `firstColumn + ${4 * tile.lanes * v}u`;

  const declareColumns = (v: number): string =>
    vector
      ? `let column${v}_0 = min(${firstColumn(v)}, params.outChannels - 4u) / 4u;
  ${right.channel(`column${v}_0`, `Right${v}`)}`
      : repeat(4, (j) => `let column${v}_${j} = min(${firstColumn(v)} + ${j}u, params.outChannels - 1u);`);
  const loadRight = (v: number, step: number): string =>
    vector
      ? right.value(`column${v}_0`, `${step}`, `Right${v}`)
      : `vec4f(${range(4)
          .map((j) => right.value(`column${v}_${j}`, `${step}`))
          .join(", ")})`;

  const partial = defineKernel({
    label: PRODUCT_LABEL.backwardWeights,
    enable: enableText(tile),
    read: { ...left.read, ...right.read },
    write: { dw: vector ? "array<vec4f>" : "array<f32>" },
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
${mainText(tile)} {
  ${tileText}
  ${layered.text}
  let firstRow = rowTile * ${tile.rows}u;
  if (firstRow >= rows) { return; }
  let firstColumn = columnTile * ${tile.columns}u + 4u * lane;
  ${repeat(tile.vectors, declareColumns)}
  ${own
    .map(
      (r) => `let row${r} = min(firstRow + ${ownRow(tile, r)}, rows - 1u);
  let tap${r} = row${r} / channels;
  let channel${r} = row${r} - tap${r} * channels;
  ${left.channel(`channel${r}`, `Left${r}`)}
  let shiftY${r} = i32(tap${r} / params.kernelWidth) - params.padTop;
  let shiftX${r} = i32(tap${r} % params.kernelWidth) - params.padLeft;`,
    )
    .join("\n")}
  ${declareSums(tile)}
  let firstPixel = split * params.pixelsPerSplit;
  let end = min(firstPixel + params.pixelsPerSplit, params.pixels);
  let firstLine = firstPixel / params.outWidth;
  // The place of the first pixel of a turn, in the image of dy.
  var image = firstLine / params.outHeight;
  var outY = i32(firstLine - image * params.outHeight);
  var outX = i32(firstPixel - firstLine * params.outWidth);
  for (var turn = firstPixel; turn < end; turn += ${STEPS}u) {
    ${repeat(
      STEPS,
      (step) => `let pixel${step} = turn + ${step}u;
    ${right.pixel(`min(pixel${step}, params.pixels - 1u)`, `${step}`)}
    ${repeat(tile.vectors, (v) => `let right${v}_${step} = ${loadRight(v, step)};`)}
    ${own
      .map(
        (r) => `let y${r}_${step} = outY * params.strideY + shiftY${r};
    let x${r}_${step} = outX * params.strideX + shiftX${r};
    let inside${r}_${step} = (y${r}_${step} >= 0) & (y${r}_${step} < params.inHeight)
      & (x${r}_${step} >= 0) & (x${r}_${step} < params.inWidth) & (pixel${step} < end);
    let at${r}_${step} = (i32(image) * params.inHeight + y${r}_${step}) * params.inWidth + x${r}_${step};
    ${left.pixel(`u32(select(0, at${r}_${step}, inside${r}_${step}))`, `${r}_${step}`)}
    let value${r}_${step} = select(0.0, ${left.value(`channel${r}`, `${r}_${step}`, `Left${r}`)}, inside${r}_${step});`,
      )
      .join("\n")}
    outX++;
    outY += select(0, 1, outX == i32(params.outWidth));
    outX = select(outX, 0, outX == i32(params.outWidth));
    image += select(0u, 1u, outY == i32(params.outHeight));
    outY = select(outY, 0, outY == i32(params.outHeight));`,
    )}
    ${repeat(own.length, (r) =>
      addProducts(
        tile,
        r,
        STEPS,
        (step) => `value${r}_${step}`,
        (v, step) => `right${v}_${step}`,
      ),
    )}
  }
  let firstOut = split * params.totalRows + rowsBefore + firstRow;
  ${eachRow(tile, "firstRow + row < rows", (sum) =>
    range(tile.vectors)
      .map((v) => {
        const at = `let at${v} = (firstOut + row) * params.outChannels + ${firstColumn(v)};`;
        return vector
          ? `${at} if (${firstColumn(v)} < params.outChannels) { store_dw(at${v} / 4u, ${sum(v)}); }`
          : `${at} ${range(4)
              .map(
                (j) =>
                  `if (${firstColumn(v)} + ${j}u < params.outChannels) { store_dw(at${v} + ${j}u, ${sum(v)}[${j}]); }`,
              )
              .join(" ")}`;
      })
      .join("\n"),
  )}
}`,
  });
  return { partial: { ...partial, tiling }, splits, count: totalRows * columns };
}
