import { defineKernel, u32 } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";
import { PRODUCT_LABEL } from "../tiling.ts";
import {
  addProducts,
  declareSums,
  eachRow,
  eachVector,
  enableText,
  firstOwnRow,
  mainText,
  ownRow,
  range,
  registerTile,
  repeat,
} from "./register-tile.ts";
import type { RegisterTile } from "./register-tile.ts";
import { directTurns, stagedTurns } from "./register-turns.ts";
import { tileGrid, tileText } from "./tile-grid.ts";
import { layersOf, tapTiling, walkText } from "./tap-product.ts";
import type { TapKernel, TapProduct } from "./tap-product.ts";

/** A {@link TapProduct} in register tiles; see register-tile.ts. */
export function tapProductRegister(target: KernelTarget, product: TapProduct): TapKernel {
  const { kind, load, store, transposed, depth, channels, weightsChannels, phases, rows, params } = product;
  const vectorDepth = load.width === 4;
  const vectorChannels = store.width === 4;
  const tiling = tapTiling(target, product);
  const tile = registerTile(target, tiling.tile);
  // The weights are loaded four at a time along whichever axis lies contiguous in them.
  const vectorWeights = transposed ? vectorDepth : vectorChannels && weightsChannels % 4 === 0;
  const steps = vectorDepth ? 4 : 1;
  const own = range(tile.rowsPerLane);
  const grid = tileGrid(target, rows, channels, tile, product.layers?.count ?? phases);
  const weightsWidth = vectorWeights ? 4 : 1;
  const layered = layersOf(product, weightsWidth);
  const rowTiles = Math.ceil(rows / tile.rows);

  /** Declares `right{step}_{v}`: the weights of the turn's steps for the lane's columns. */
  const loadWeights = (v: number): string => {
    const column = (j: number): string => `column${v}_${j}`;
    if (!transposed) {
      return repeat(steps, (step) =>
        vectorWeights
          ? `let right${step}_${v} = load_w(weight + ${step}u * params.weightStride + ${column(0)});`
          : `let right${step}_${v} = vec4f(${range(4)
              .map((j) => `load_w(weight + ${step}u * params.weightStride + ${column(j)})`)
              .join(", ")});`,
      );
    }
    const loads = repeat(4, (j) => `let block${v}_${j} = load_w(weight + ${column(j)});`);
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

  const type = vectorDepth ? "vec4f" : "f32";
  const zero = `${type}()`;
  // A tile that ends with the matrix skips the rows past it.
  const eachOwnRow = (text: (r: number) => string): string =>
    repeat(
      own.length,
      (r) => `${r === 0 ? "" : `if (firstRow + ${firstOwnRow(tile, r)} < rows) `}{ ${text(r)} }`,
    );
  const multiply = (v: number, value: (r: number) => string): string => `
        let weight = ${transposed ? "turn" : `turn * ${steps}u * params.weightStride`} + tapWeight;
        ${loadWeights(v)}
        ${eachOwnRow(
          (r) => `let value = ${value(r)};
        ${addProducts(
          tile,
          { own: r, steps, vectors: [v] },
          (step) => (steps === 1 ? "value" : `value[${step}]`),
          (v, step) => `right${step}_${v}`,
        )}`,
        )}`;
  // Loops that also load the left operand, or take all columns, would be longer than what a core keeps decoded.
  const staged = tile.vectors > 1;
  const slot = (r: string): string => `staged[(turn - block) * ${own.length}u + ${r}]`;
  const places = staged
    ? repeat(own.length, (r) => `places[${r}] = sourcePixel(pixel${r}, tapY, tapX);`)
    : repeat(
        own.length,
        (r) => `let place${r} = sourcePixel(pixel${r}, tapY, tapX);
      let inside${r} = place${r} >= 0;
      ${load.pixel(`u32(max(place${r}, 0))`, `${r}`)}`,
      );
  const turns = staged
    ? stagedTurns(tile, load, {
        stage: (part, lane) => `for (var own = 0u; own < ownRows; own++) {
          let place = places[own];
          ${part.pixel("u32(max(place, 0))", "")}
          ${slot("own")} = select(${zero}, ${part.value(lane, "")}, place >= 0);
        }`,
        multiply: (v) => multiply(v, (r) => slot(`${r}u`)),
      })
    : directTurns(tile, load, (part, lane) =>
        multiply(0, (r) => `select(${zero}, ${part.value(lane, `${r}`)}, inside${r})`),
      );
  const sum = `
  for (var tapY = 0u; tapY < phase.tapsY; tapY++) {
    for (var tapX = 0u; tapX < phase.tapsX; tapX++) {
      let tapWeight = ${layered.weightsBegin} + kernelTap(phase, tapY, tapX) * params.tapWeights;
      ${places}
      ${turns}
    }
  }`;

  const sumOf = staged ? (row: number) => `stored${row}` : (row: number) => `sum${row}_0`;
  const stored = store.text({
    rows: range(tile.rows),
    vectors: [0],
    inside: (row) => `firstRow + ${row}u < rows`,
    eachRow: (text) =>
      eachRow(
        { rows: tile.rows, vectors: 1 },
        "firstRow + row < rows",
        (sum) => `let place = ${placeText(tile)};\n    ${text(sum)}`,
        sumOf,
      ),
    sum: sumOf,
    column: () => (staged ? "firstStored" : "firstColumn"),
    count: () => `min(rows - firstRow, ${tile.rows}u)`,
    partialIndex: "(group.z * params.rowTiles + rowTile)",
    writer: "true",
    // Every lane holds all rows of its columns.
    acrossRows: () => "",
  });

  const kernel = defineKernel({
    label: PRODUCT_LABEL[kind],
    enable: enableText(tile),
    read: { ...load.read, w: vectorWeights ? "array<vec4f>" : "array<f32>", ...store.read },
    write: store.write,
    params: {
      ...params,
      ...load.params,
      ...store.params,
      ...layered.params,
      turns: u32(depth / steps),
      weightsBegin: u32(product.weightsBegin / weightsWidth),
      weightStride: u32(transposed ? depth / steps : weightsChannels / weightsWidth),
      tapWeights: u32((depth * weightsChannels) / weightsWidth),
      columnTiles: u32(grid.columnTiles),
      ...(staged && { vectors: u32(tile.vectors) }),
      ...(load.constants && tile.subgroups && { constants: u32(load.constants.names.length) }),
      ...(store.partials && { rowTiles: u32(rowTiles) }),
    },
    workgroups: grid.workgroups,
    body: /* wgsl */ `${walkText(product)}${load.functions ?? ""}${store.functions ?? ""}
${mainText(tile)} {
  ${tileText}
  ${layered.text}
  let rows = params.batch * phase.height * phase.width;
  let firstRow = rowTile * ${tile.rows}u;
  if (firstRow >= rows) { return; }
  let firstColumn = columnTile * ${tile.columns}u + 4u * lane;
  ${repeat(tile.vectors, declareColumns)}
  ${repeat(own.length, (r) => `let pixel${r} = pixelOf(phase, min(firstRow + ${ownRow(tile, r)}, rows - 1u));`)}
  ${declareSums(tile)}
  ${load.constants && tile.subgroups ? `var constants: array<${type}, ${load.constants.names.length}>;` : ""}
  ${
    staged
      ? `var staged: array<${type}, ${tile.lanes * own.length}>;
  var places: array<i32, ${own.length}>;
  let ownRows = min(${own.length}u, (rows - firstRow + ${tile.lanes - 1}u) / ${tile.lanes}u);`
      : ""
  }
  ${sum}
  ${staged ? eachVector(tile, stored) : stored}
}`,
  });
  return { kernel: { ...kernel, tiling }, partialCount: phases * rowTiles };
}

/** Text of the number of the pixel that tile-row `row` is. */
function placeText({ rows, lanes, rowsPerLane, subgroups }: RegisterTile): string {
  const own = range(rowsPerLane);
  if (!subgroups) return `array<u32, ${rows}>(${own.map((r) => `pixel${r}.result`).join(", ")})[row]`;
  const ofLane = own
    .slice(1)
    .reduce((text, r) => `select(${text}, pixel${r}.result, row >= ${r * lanes}u)`, "pixel0.result");
  return `subgroupShuffle(${ofLane}, row % ${lanes}u)`;
}
