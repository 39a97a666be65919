import { defineKernel, u32 } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";
import { PRODUCT_LABEL } from "../tiling.ts";
import { layersOf, tapTiling, walkText } from "./tap-product.ts";
import type { TapKernel, TapProduct } from "./tap-product.ts";
import { invocationsAcross, ownColumn } from "./slab.ts";
import { slabArithmetic } from "./slab-arithmetic.ts";
import { tileGrid, tileText } from "./tile-grid.ts";
import { weightsSlab } from "./weights-slab.ts";
import { range, repeat } from "./workgroup-tile.ts";

/** A {@link TapProduct} in tiles that are staged in workgroup memory; see slab-arithmetic.ts. */
export function tapProductWorkgroup(target: KernelTarget, product: TapProduct): TapKernel {
  const { kind, load, store, transposed, channels, weightsChannels, phases, rows, params } = product;
  const tiling = tapTiling(target, product);
  const arithmetic = slabArithmetic(target, tiling, "along the sum");
  const { tile, putLeft, rowOffsets } = arithmetic;
  const vectorDepth = load.width === 4;
  const vectorChannels = channels % 4 === 0;
  // The weights are loaded four at a time along whichever axis lies contiguous in them.
  const vectorWeights = transposed ? vectorDepth : vectorChannels && weightsChannels % 4 === 0;
  const grid = tileGrid(target, rows, channels, tile, product.layers?.count ?? phases);
  const layered = layersOf(product, 1);
  const rowTiles = Math.ceil(rows / tile.rows);
  const quads = tile.steps / 4;
  const across = invocationsAcross(arithmetic);
  const vectors = range(arithmetic.vectors);

  // Left operand: an invocation loads quads of depth of rows that stay its own through the whole sum.
  const leftLoads = range(Math.ceil((tile.rows * quads) / tile.threads));
  const leftRow = (i: number): string => `(local + ${i * tile.threads}u) / ${quads}u`;
  const guardLeft = (i: number, text: string): string =>
    (i + 1) * tile.threads > tile.rows * quads
      ? `if (local + ${i * tile.threads}u < ${tile.rows * quads}u) { ${text} }`
      : text;
  const loadLeft = (i: number): string => {
    const value = vectorDepth
      ? `select(vec4f(), ${load.value("depthQuad", `${i}`)}, inside${i} && d < params.depth)`
      : `vec4f(${range(4)
          .map(
            (j) =>
              `select(0.0, ${load.value(`depth${j}`, `${i}`, `Depth${j}`)}, inside${i} && d + ${j}u < params.depth)`,
          )
          .join(", ")})`;
    return guardLeft(i, putLeft(`local + ${i * tile.threads}u`, value));
  };

  const kernel = defineKernel({
    label: PRODUCT_LABEL[kind],
    enable: arithmetic.enable,
    read: { ...load.read, w: vectorWeights ? "array<vec4f>" : "array<f32>", ...store.read },
    write: store.write,
    params: {
      ...params,
      ...load.params,
      ...store.params,
      ...layered.params,
      weightsBegin: u32(product.weightsBegin),
      weightsChannels: u32(weightsChannels),
      columnTiles: u32(grid.columnTiles),
      ...(store.partials && { rowTiles: u32(rowTiles) }),
    },
    workgroups: grid.workgroups,
    body: /* wgsl */ `${walkText(product)}${load.functions ?? ""}${store.functions ?? ""}
${arithmetic.declarations}
var<workgroup> places: array<u32, ${tile.rows}>;
${store.partials ? `var<workgroup> totals: array<vec4f, ${tile.threads}>;` : ""}
${arithmetic.main} {
  ${tileText}
  ${layered.text}
  let rows = params.batch * phase.height * phase.width;
  let firstRow = rowTile * ${tile.rows}u;
  if (firstRow >= rows) { return; }
  let firstColumn = columnTile * ${tile.columns}u;
  ${repeat(
    leftLoads.length,
    (i) => `let pixel${i} = pixelOf(phase, min(firstRow + ${leftRow(i)}, rows - 1u));
  ${guardLeft(i, `places[${leftRow(i)}] = pixel${i}.result;`)}`,
  )}
  ${arithmetic.declareSums}
  for (var tapY = 0u; tapY < phase.tapsY; tapY++) {
    for (var tapX = 0u; tapX < phase.tapsX; tapX++) {
      let weight = ${layered.weightsBegin} + kernelTap(phase, tapY, tapX) * params.depth * params.weightsChannels;
      ${repeat(
        leftLoads.length,
        (i) => `let place${i} = sourcePixel(pixel${i}, tapY, tapX);
      let inside${i} = place${i} >= 0;
      ${load.pixel(`u32(max(place${i}, 0))`, `${i}`)}`,
      )}
      for (var step = 0u; step < params.depth; step += ${tile.steps}u) {
        {
          // The number of invocations is a multiple of the quads of a row, so all their loads have one depth.
          let d = step + 4u * (local % ${quads}u);
          ${
            vectorDepth
              ? `let depthQuad = min(d, params.depth - 4u) / 4u; ${load.channel("depthQuad")}`
              : repeat(
                  4,
                  (j) =>
                    `let depth${j} = min(d + ${j}u, params.depth - 1u); ${load.channel(`depth${j}`, `Depth${j}`)}`,
                )
          }
          ${leftLoads.map(loadLeft).join("\n")}
        }
        ${weightsSlab(arithmetic, product, vectorWeights)}
        workgroupBarrier();
        ${arithmetic.addProducts}
        workgroupBarrier();
      }
    }
  }
  workgroupBarrier();${arithmetic.finish}
  ${repeat(vectors.length, (v) => `let column${v} = firstColumn + ${ownColumn(arithmetic, v)};`)}
  let ownRow = ${arithmetic.ownRow};
  ${store.text({
    rows: range(rowOffsets.length),
    vectors,
    inside: (row) => `firstRow + ownRow + ${rowOffsets[row]}u < rows`,
    eachRow: (text) =>
      repeat(
        rowOffsets.length,
        (row) => `if (firstRow + ownRow + ${rowOffsets[row]}u < rows) {
    let place = places[ownRow + ${rowOffsets[row]}u];
    ${text((v) => `sum${row}_${v}`)}
  }`,
      ),
    sum: (row, v) => `sum${row}_${v}`,
    column: (v) => `column${v}`,
    count: () => `min(rows - firstRow, ${tile.rows}u)`,
    partialIndex: "(group.z * params.rowTiles + rowTile)",
    writer: "ownRow == 0u",
    acrossRows: (variable) => `totals[local] = ${variable};
  workgroupBarrier();
  ${variable} = totals[local % ${across}u];
  for (var i = local % ${across}u + ${across}u; i < ${tile.threads}u; i += ${across}u) { ${variable} += totals[i]; }
  workgroupBarrier();`,
  })}
}`,
  });
  return { kernel: { ...kernel, tiling }, partialCount: phases * rowTiles };
}
