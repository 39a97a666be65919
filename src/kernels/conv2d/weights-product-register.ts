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
import { pixelWalk } from "./pixel-walk.ts";
import { tileGrid, tileText } from "./tile-grid.ts";
import { layersText, splitCount, weightsTiling } from "./weights-product.ts";
import type { WeightsKernel, WeightsProduct } from "./weights-product.ts";

/** Pixels that a turn of the loop adds unless the tile says otherwise, by the width of the left operand. */
const STEPS = { 1: 2, 4: 1 } as const;

/** A {@link WeightsProduct} in register tiles; see register-tile.ts. */
export function weightsProductRegister(target: KernelTarget, product: WeightsProduct): WeightsKernel {
  const { geometry: g, layers, rows, totalRows, columns, params } = product;
  const tiling = weightsTiling(target, product);
  const tile = registerTile(target, tiling.tile);
  const { width } = tiling.request.left;
  const inFours = width === 4;
  const { steps = STEPS[width] } = tiling.tile;
  const own = range(tile.rowsPerLane / width);
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns) * layers.count;
  const pixels = g.batch * g.outHeight * g.outWidth;
  const wanted = splitCount(target, product, tiles, tiling.tile.workgroups);
  const pixelsPerSplit = steps * Math.ceil(pixels / (steps * wanted));
  const splits = Math.ceil(pixels / pixelsPerSplit);
  const grid = tileGrid(target, rows, columns, tile, splits * layers.count);
  const layered = layersText(product, splits, tiling.request);
  const { left, right } = layered;
  const vector = right.width === 4;
  // The pixel of x under the kernel's tap without a shift.
  const walk = pixelWalk(g, [1]);
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
      ...walk.params,
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
      (r) => `let row${r} = min(firstRow + ${ownRow(tile, r)}${inFours ? " * 4u, rows - 4u" : ", rows - 1u"});
  let tap${r} = row${r} / channels;
  let channel${r} = (row${r} - tap${r} * channels)${inFours ? " / 4u" : ""};
  ${left.channel(`channel${r}`, `Left${r}`)}
  let shiftY${r} = i32(tap${r} / params.kernelWidth) - params.padTop;
  let shiftX${r} = i32(tap${r} % params.kernelWidth) - params.padLeft;
  let shift${r} = shiftY${r} * params.inWidth + shiftX${r};`,
    )
    .join("\n")}
  ${declareSums(tile)}
  ${walk.begin("split * params.pixelsPerSplit")}
  let end = min(firstPixel + params.pixelsPerSplit, params.pixels);
  for (var turn = firstPixel; turn < end; turn += ${steps}u) {
    ${repeat(
      steps,
      (step) => `let pixel${step} = turn + ${step}u;
    ${right.pixel(`min(pixel${step}, params.pixels - 1u)`, `${step}`)}
    ${repeat(tile.vectors, (v) => `let right${v}_${step} = ${loadRight(v, step)};`)}
    ${own
      .map(
        (r) => `let inside${r}_${step} = (u32(y + shiftY${r}) < u32(params.inHeight))
      & (u32(x + shiftX${r}) < u32(params.inWidth)) & (pixel${step} < end);
    ${left.pixel(`u32(select(0, place + shift${r}, inside${r}_${step}))`, `${r}_${step}`)}
    let value${r}_${step} = select(${inFours ? "vec4f()" : "0.0"}, ${left.value(`channel${r}`, `${r}_${step}`, `Left${r}`)}, inside${r}_${step});`,
      )
      .join("\n")}
    ${walk.advance(1)}`,
    )}
    ${repeat(own.length, (r) =>
      addProducts(
        tile,
        { own: r, width, steps },
        (step, part) => `value${r}_${step}${inFours ? `[${part}]` : ""}`,
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
