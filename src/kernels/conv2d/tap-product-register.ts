import { defineKernel, u32 } from "../kernel.ts";
import type { Kernel, KernelTarget } from "../kernel.ts";
import {
  addProducts,
  declareSums,
  enableText,
  mainText,
  ownRow,
  range,
  registerTile,
  repeat,
  storeSums,
} from "./register-tile.ts";
import { tileGrid, tileText } from "./tile-grid.ts";
import { walkText } from "./tap-product.ts";
import type { TapProduct } from "./tap-product.ts";

/** A {@link TapProduct} in register tiles; see register-tile.ts. */
export function tapProductRegister(target: KernelTarget, product: TapProduct): Kernel {
  const { label, source, result, transposed, depth, channels, phases, rows, params } = product;
  const vectorDepth = depth % 4 === 0;
  const vectorChannels = channels % 4 === 0;
  // Storing one value at a time takes so much code that a wide tile of it compiles for seconds.
  const tile = registerTile(target, vectorChannels ? channels : 4);
  // The weights are loaded four at a time along whichever axis lies contiguous in them.
  const vectorWeights = transposed ? vectorDepth : vectorChannels;
  const steps = vectorDepth ? 4 : 1;
  const own = range(tile.rowsPerLane);
  const grid = tileGrid(target, rows, channels, tile, phases);

  /** Declares `right{step}_{v}`: the weights of the turn's steps for the lane's columns. */
  const loadWeights = (v: number): string => {
    const column = (j: number): string => `column${v}_${j}`;
    if (!transposed) {
      return repeat(steps, (step) =>
        vectorWeights
          ? `let right${step}_${v} = w[weight + ${step}u * params.weightStride + ${column(0)}];`
          : `let right${step}_${v} = vec4f(${range(4)
              .map((j) => `w[weight + ${step}u * params.weightStride + ${column(j)}]`)
              .join(", ")});`,
      );
    }
    const loads = repeat(4, (j) => `let block${v}_${j} = w[weight + ${column(j)}];`);
    const turned = repeat(
      steps,
      (step) =>
        `let right${step}_${v} = vec4f(${range(4)
          .map((j) => `block${v}_${j}${steps === 1 ? "" : `[${step}]`}`)
          .join(", ")});`,
    );
    return `${loads}\n${turned}`;
  };
  const columnStride = transposed ? " * params.weightStride" : "";
  const declareColumns = (v: number): string => {
    const first = `firstColumn + ${4 * tile.lanes * v}u`;
    if (!transposed && vectorWeights) {
      return `let column${v}_0 = min(${first}, params.channels - 4u) / 4u;`;
    }
    return repeat(
      4,
      (j) => `let column${v}_${j} = min(${first} + ${j}u, params.channels - 1u)${columnStride};`,
    );
  };
  const weightStep = transposed ? "1u" : `${steps}u * params.weightStride`;

  return defineKernel({
    label,
    enable: enableText(tile),
    read: {
      [source]: vectorDepth ? "array<vec4f>" : "array<f32>",
      w: vectorWeights ? "array<vec4f>" : "array<f32>",
    },
    write: { [result]: vectorChannels ? "array<vec4f>" : "array<f32>" },
    params: {
      ...params,
      turns: u32(depth / steps),
      weightStride: u32(transposed ? depth / steps : channels / (vectorWeights ? 4 : 1)),
      tapWeights: u32((depth * channels) / (vectorWeights ? 4 : 1)),
      columnTiles: u32(grid.columnTiles),
    },
    workgroups: grid.workgroups,
    body: /* wgsl */ `${walkText(product)}
${mainText(tile)} {
  ${tileText}
  let phase = phaseOf(group.z);
  let rows = params.batch * phase.height * phase.width;
  let firstRow = rowTile * ${tile.rows}u;
  if (firstRow >= rows) { return; }
  let firstColumn = columnTile * ${tile.columns}u + 4u * lane;
  ${repeat(tile.vectors, declareColumns)}
  ${repeat(own.length, (r) => `let pixel${r} = pixelOf(phase, min(firstRow + ${ownRow(tile, r)}, rows - 1u));`)}
  ${declareSums(tile)}
  for (var tapY = 0u; tapY < phase.tapsY; tapY++) {
    for (var tapX = 0u; tapX < phase.tapsX; tapX++) {
      var weight = kernelTap(phase, tapY, tapX) * params.tapWeights;
      ${repeat(
        own.length,
        (r) => `let place${r} = sourcePixel(pixel${r}, tapY, tapX);
      let inside${r} = place${r} >= 0;
      let left${r} = u32(max(place${r}, 0)) * params.turns;`,
      )}
      for (var turn = 0u; turn < params.turns; turn++) {
        ${repeat(own.length, (r) => `let value${r} = select(${vectorDepth ? "vec4f()" : "0.0"}, ${source}[left${r} + turn], inside${r});`)}
        ${repeat(tile.vectors, loadWeights)}
        ${repeat(steps, (step) =>
          addProducts(
            tile,
            (r) => `value${r}${steps === 1 ? "" : `[${step}]`}`,
            (v) => `right${step}_${v}`,
          ),
        )}
        weight += ${weightStep};
      }
    }
  }
  ${storeSums(
    tile,
    (row) => `firstRow + ${row}u < rows`,
    (row, v, sum) => {
      const r = tile.subgroups ? Math.floor(row / tile.lanes) : row;
      const at = tile.subgroups
        ? `subgroupBroadcast(pixel${r}.result, ${row % tile.lanes}u)`
        : `pixel${r}.result`;
      const column = `firstColumn + ${4 * tile.lanes * v}u`;
      const declareAt = `let at${v} = ${at} * params.channels + ${column};`;
      return vectorChannels
        ? `${declareAt} if (${column} < params.channels) { ${result}[at${v} / 4u] = ${sum}; }`
        : `${declareAt}
      ${range(4)
        .map((j) => `if (${column} + ${j}u < params.channels) { ${result}[at${v} + ${j}u] = ${sum}[${j}]; }`)
        .join(" ")}`;
    },
  )}
}`,
  });
}
