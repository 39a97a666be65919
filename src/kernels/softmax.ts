import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import type { Lane } from "./text/lane.ts";
import { eachOfRow, holdRow, reduceRow, rowEnable, rowGrid, rowLanes, rowMain } from "./text/row-lanes.ts";

/** What becomes of the numbers before their softmax. */
export interface SoftmaxOptions {
  /** They are multiplied by it; above 0, 1 by default. */
  readonly scale?: number;
  /**
   * Rows come in matrices of so many, of which row i sees its first `classes − queries + i + 1` numbers alone; the others are 0. By default rows
   * see all.
   */
  readonly queries?: number | undefined;
}

/** The smallest f32 stands for −∞. */
const LEAST = "-0x1.fffffep+127";

/** WGSL of a lane's largest number, or of their sum. */
const across = (variable: string, { width }: Lane, kind: "max" | "sum"): string => {
  if (width === 1) return variable;
  const [x, y, z, w] = ["x", "y", "z", "w"].map((each) => `${variable}.${each}`);
  return kind === "max" ? `max(max(${x}, ${y}), max(${z}, ${w}))` : `(${x} + ${y}) + (${z} + ${w})`;
};

/** Softmax of each row, with its largest value taken out: `x`, `y`: `[rows, classes]`. */
export function softmaxForward(
  target: KernelTarget,
  rows: number,
  classes: number,
  { scale = 1, queries }: SoftmaxOptions = {},
): Kernel {
  const lane = laneFor(classes);
  const { width, float } = lane;
  const layout = rowLanes(target, classes / width);
  const each = (text: (value: string, i: string) => string): string => eachOfRow(layout, "x", text);
  const seen = (value: string, i: string, otherwise: string): string => {
    if (queries === undefined) return value;
    const at = width === 1 ? i : `(vec4u(0u, 1u, 2u, 3u) + 4u * (${i}))`;
    return `select(${otherwise}, ${value}, ${at} < ${lane.uint}(visible))`;
  };
  const exponential = (value: string, i: string): string =>
    seen(`exp((${value} - largest) * params.scale)`, i, `${float}()`);
  const held = layout.held > 0;
  return defineKernel({
    label: queries === undefined ? "softmax_forward" : "causal_softmax_forward",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    params: {
      rows: u32(rows),
      extent: u32(classes / width),
      scale: f32(scale),
      ...(queries !== undefined && { queries: u32(queries), ahead: u32(classes - queries + 1) }),
    },
    enable: rowEnable(layout),
    workgroups: rowGrid(target, layout, rows),
    body: rowMain(
      layout,
      /* wgsl */ `
    let begin = row * params.extent;
    ${queries === undefined ? "" : "let visible = row % params.queries + params.ahead;"}
    ${holdRow(layout, "x", float)}
    var most = ${float}(${LEAST});
    ${each((value, i) => `most = max(most, ${seen(value, i, `${float}(${LEAST})`)});`)}
    var largest = ${across("most", lane, "max")};
    ${reduceRow(layout, "largest", (a, b) => `max(${a}, ${b})`)}
    var sums = ${float}();
    ${each((value, i) => {
      const text = exponential(value, i);
      return held ? `${value} = ${text}; sums += ${value};` : `sums += ${text};`;
    })}
    var total = ${across("sums", lane, "sum")};
    ${reduceRow(layout, "total", (a, b) => `${a} + ${b}`)}
    let normalizer = 1.0 / total;
    if (inside) {
      ${each((value, i) => `store_y(begin + ${i}, ${held ? value : exponential(value, i)} * normalizer);`)}
    }`,
    ),
  });
}

/** Gradient of {@link softmaxForward} from its output: `dx = scale · y · (dy − Σ dy·y)`; all `[rows, classes]`. */
export function softmaxBackward(
  target: KernelTarget,
  rows: number,
  classes: number,
  { scale = 1 }: Pick<SoftmaxOptions, "scale"> = {},
): Kernel {
  const lane = laneFor(classes);
  const { width, float } = lane;
  const layout = rowLanes(target, classes / width);
  const each = (text: (value: string, i: string) => string): string => eachOfRow(layout, "y", text);
  return defineKernel({
    label: "softmax_backward",
    read: { y: `array<${float}>`, dy: `array<${float}>` },
    write: { dx: `array<${float}>` },
    params: { rows: u32(rows), extent: u32(classes / width), scale: f32(scale) },
    enable: rowEnable(layout),
    workgroups: rowGrid(target, layout, rows),
    body: rowMain(
      layout,
      /* wgsl */ `
    let begin = row * params.extent;
    ${holdRow(layout, "y", float)}
    var sums = ${float}();
    ${each((value, i) => `sums += ${value} * load_dy(begin + ${i});`)}
    var total = ${across("sums", lane, "sum")};
    ${reduceRow(layout, "total", (a, b) => `${a} + ${b}`)}
    if (inside) {
      ${each((value, i) => `store_dx(begin + ${i}, params.scale * ${value} * (load_dy(begin + ${i}) - total));`)}
    }`,
    ),
  });
}
