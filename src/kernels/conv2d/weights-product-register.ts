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

/** Pixels of a line that one turn of the loop adds. */
const STEPS = 4;

/** A {@link WeightsProduct} in register tiles; see register-tile.ts. Sums are split between lines of pixels. */
export function weightsProductRegister(target: KernelTarget, product: WeightsProduct): WeightsKernel {
  const { geometry: g, layers, rows, totalRows, columns, params } = product;
  const tiling = weightsTiling(target, product);
  const tile = registerTile(target, tiling.tile);
  const own = range(tile.rowsPerLane);
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns) * layers.count;
  const lines = g.batch * g.outHeight;
  const linesPerSplit = Math.ceil(lines / splitCount(target, product, tiles, tiling.tile.workgroups));
  const splits = Math.ceil(lines / linesPerSplit);
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
  const loadRight = (v: number): string =>
    vector
      ? right.value(`column${v}_0`, "", `Right${v}`)
      : `vec4f(${range(4)
          .map((j) => right.value(`column${v}_${j}`, ""))
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
      lines: u32(lines),
      linesPerSplit: u32(linesPerSplit),
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
  let firstLine = split * params.linesPerSplit;
  let end = min(firstLine + params.linesPerSplit, params.lines);
  var image = firstLine / params.outHeight;
  var outY = firstLine - image * params.outHeight;
  for (var line = firstLine; line < end; line++) {
    ${own
      .map(
        (r) => `let y${r} = i32(outY) * params.strideY + shiftY${r};
    let insideY${r} = y${r} >= 0 && y${r} < params.inHeight;
    let width${r} = select(0u, u32(params.inWidth), insideY${r});
    let left${r} = u32((i32(image) * params.inHeight + select(0, y${r}, insideY${r})) * params.inWidth);`,
      )
      .join("\n")}
    for (var outX = 0u; outX < params.outWidth; outX += ${STEPS}u) {
      ${repeat(
        STEPS,
        (step) => `{
      let pixel = outX + ${step}u;
      ${right.pixel("(line * params.outWidth + min(pixel, params.outWidth - 1u))", "")}
      ${repeat(tile.vectors, (v) => `let right${v} = ${loadRight(v)};`)}
      ${own
        .map(
          (r) => `let x${r} = u32(i32(pixel) * params.strideX + shiftX${r});
      let inside${r} = x${r} < width${r} && pixel < params.outWidth;
      ${left.pixel(`(left${r} + select(0u, x${r}, inside${r}))`, `${r}`)}
      let value${r} = select(0.0, ${left.value(`channel${r}`, `${r}`, `Left${r}`)}, inside${r});`,
        )
        .join("\n")}
      ${addProducts(
        tile,
        (r) => `value${r}`,
        (v) => `right${v}`,
      )}
      }`,
      )}
    }
    outY++;
    if (outY == params.outHeight) { outY = 0u; image++; }
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
