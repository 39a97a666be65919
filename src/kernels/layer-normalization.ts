import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { eachOfRow, holdRow, reduceRow, rowEnable, rowGrid, rowLanes, rowMain } from "./text/row-lanes.ts";
import type { RowLanes } from "./text/row-lanes.ts";

/** Which of γ and β there are. */
export interface NormVectors {
  readonly gamma: boolean;
  readonly beta: boolean;
}

export interface LayerNormForwardOptions extends NormVectors {
  /** Added to the variance. */
  readonly epsilon: number;
  /** Whether mean and scale of each row are stored, in `statistics` from row `firstRow` on. */
  readonly keeps: boolean;
  readonly firstRow: number;
}

/**
 * Layer norm of each row of `x` `[rows, C]`: `y` = γ·(x − mean)·scale + β, where scale is 1/√(variance + ε) of the biased variance and
 * γ, β are `[C]`. `statistics`: `[.., 2]`, mean and scale. The variance is that of the differences, not of squares.
 */
export function layerNormForward(
  target: KernelTarget,
  rows: number,
  channels: number,
  { epsilon, keeps, firstRow, ...vectors }: LayerNormForwardOptions,
): Kernel {
  const { width, float } = laneFor(channels);
  const layout = rowLanes(target, channels / width);
  const each = (text: (value: string, i: string) => string): string => eachOfRow(layout, "x", text);
  return defineKernel({
    label: "layer_norm_forward",
    read: { x: `array<${float}>`, ...vectorBindings(vectors, float) },
    write: { y: `array<${float}>`, ...(keeps && { statistics: "array<vec2f>" }) },
    params: {
      rows: u32(rows),
      extent: u32(channels / width),
      perValue: f32(1 / channels),
      epsilon: f32(epsilon),
      ...(keeps && { firstRow: u32(firstRow) }),
    },
    enable: rowEnable(layout),
    workgroups: rowGrid(target, layout, rows),
    body: rowMain(
      layout,
      /* wgsl */ `
    let begin = row * params.extent;
    ${holdRow(layout, "x", float)}
    var total = ${float}();
    ${each((value) => `total += ${value};`)}
    ${rowTotal(layout, "sum", "total", width)}
    let mean = sum * params.perValue;
    var squares = ${float}();
    ${each((value) => `{ let d = ${value} - mean; squares += d * d; }`)}
    ${rowTotal(layout, "spread", "squares", width)}
    let scale = inverseSqrt(spread * params.perValue + params.epsilon);
    if (inside) {
      ${each((value, i) => `store_y(begin + ${i}, ${normalizedText(`(${value} - mean) * scale`, i, vectors)});`)}
      ${keeps ? "if (lane == 0u) { store_statistics(params.firstRow + row, vec2f(mean, scale)); }" : ""}
    }`,
    ),
  });
}

/**
 * The gradient of {@link layerNormForward} by x: with z = γ·dy and x̂ = (x − mean)·scale, `dx` = scale·(z − mean z − x̂·mean(z·x̂)); `x`,
 * `dy`, `dx` `[rows, C]`, `statistics` from row `firstRow` on.
 */
export function layerNormInputGradient(
  target: KernelTarget,
  rows: number,
  channels: number,
  { gamma, firstRow }: { readonly gamma: boolean; readonly firstRow: number },
): Kernel {
  const { width, float } = laneFor(channels);
  const layout = rowLanes(target, channels / width);
  const each = (text: (value: string, i: string) => string): string => eachOfRow(layout, "x", text);
  const z = (i: string): string => `load_dy(begin + ${i})${gamma ? ` * load_gamma(${i})` : ""}`;
  return defineKernel({
    label: "layer_norm_input_gradient",
    read: {
      x: `array<${float}>`,
      dy: `array<${float}>`,
      statistics: "array<vec2f>",
      ...vectorBindings({ gamma, beta: false }, float),
    },
    write: { dx: `array<${float}>` },
    params: {
      rows: u32(rows),
      extent: u32(channels / width),
      perValue: f32(1 / channels),
      firstRow: u32(firstRow),
    },
    enable: rowEnable(layout),
    workgroups: rowGrid(target, layout, rows),
    body: rowMain(
      layout,
      /* wgsl */ `
    let begin = row * params.extent;
    let statistics = load_statistics(params.firstRow + row);
    let mean = statistics.x;
    let scale = statistics.y;
    ${holdRow(layout, "x", float)}
    var total = ${float}();
    var product = ${float}();
    ${each((value, i) => `{ let z = ${z(i)}; total += z; product += z * (${value} - mean); }`)}
    ${rowTotal(layout, "sum", "total", width)}
    ${rowTotal(layout, "slope", "product", width)}
    let ofAll = sum * params.perValue;
    let ofEach = slope * scale * scale * params.perValue;
    if (inside) {
      ${each((value, i) => `store_dx(begin + ${i}, scale * (${z(i)} - ofAll - (${value} - mean) * ofEach));`)}
    }`,
    ),
  });
}

export const vectorBindings = ({ gamma, beta }: NormVectors, float: string): Record<string, string> => ({
  ...(gamma && { gamma: `array<${float}>` }),
  ...(beta && { beta: `array<${float}>` }),
});

/** WGSL of γ·x̂ + β of the channels `i`. */
export const normalizedText = (normalized: string, i: string, { gamma, beta }: NormVectors): string =>
  `${normalized}${gamma ? ` * load_gamma(${i})` : ""}${beta ? ` + load_beta(${i})` : ""}`;

/** WGSL that makes `name` the sum of the lanes' `variable`. */
const rowTotal = (layout: RowLanes, name: string, variable: string, width: 4 | 1): string =>
  `var ${name} = ${lanesSum(variable, width)};
    ${reduceRow(layout, name, (a, b) => `${a} + ${b}`)}`;

/** WGSL of the sum of a variable of four numbers or one. */
export const lanesSum = (variable: string, width: 4 | 1): string =>
  width === 4 ? `(${variable}.x + ${variable}.y) + (${variable}.z + ${variable}.w)` : variable;
