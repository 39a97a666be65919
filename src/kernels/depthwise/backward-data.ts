import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import { tapFlops } from "../conv2d/geometry.ts";
import { plainLoad } from "../conv2d/load.ts";
import { range } from "../conv2d/register-tile.ts";
import { defineKernel, i32 } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";
import { allChannels } from "../text/channel-range.ts";
import { cellStripOf } from "./strip.ts";
import {
  columnText,
  depthwiseWalk,
  extentParams,
  inFlight,
  rowsText,
  unitText,
  walkGroups,
  walkMain,
} from "./walk.ts";
import type { LoadedRows } from "./walk.ts";
import { walkStore } from "./fusion.ts";
import type { DepthwiseFusion, DepthwiseKernel } from "./fusion.ts";
import { weightsText } from "./weights-text.ts";

/**
 * Gradient of a depthwise convolution by its input: reads `dy` `[N, Ho, Wo, C]` and `w` `[kh, kw, C, 1]`, writes `dx`
 * `[N, H, W, C]`.
 *
 * The image with its padding is a grid of *cells*, strideY × strideX pixels each; column `o` of dy has a part in the cells of
 * columns `o` and following, always with the same taps. A walk goes along the cells.
 */
export function depthwiseBackwardData(
  target: KernelTarget,
  g: Conv2dGeometry,
  { load: loadOf, store: storeOf }: DepthwiseFusion = {},
): DepthwiseKernel {
  const { kernelHeight, kernelWidth, strideY, strideX } = g;
  const [firstCellY, firstCellX] = [Math.floor(g.padTop / strideY), Math.floor(g.padLeft / strideX)];
  const grid = {
    batch: g.batch,
    rows: Math.floor((g.padTop + g.inHeight - 1) / strideY) - firstCellY + 1,
    columns: Math.floor((g.padLeft + g.inWidth - 1) / strideX) - firstCellX + 1,
    channels: g.inChannels,
  };
  const cells = cellStripOf(target, g);
  const walk = depthwiseWalk(target, grid, cells);
  const { lane } = walk;
  const load = loadOf?.(lane.width) ?? plainLoad("dy", lane.width, allChannels(g.inChannels));
  const store = walkStore(storeOf, "dx", g.inChannels, lane);
  const slots = range(inFlight(kernelWidth, strideX));
  const reach = inFlight(kernelHeight, strideY) - 1;
  const sources: LoadedRows = {
    name: "dy",
    extent: "out",
    first: `cell - ${reach}`,
    count: cells + reach,
  };
  const [rows, phases] = [range(cells * strideY), range(strideX)];
  const weights = weightsText(target, kernelHeight * kernelWidth);
  const sum = (slot: number, y: number, x: number): string => `sum${slot}_${y}_${x}`;
  const eachSum = (text: (slot: number, y: number, x: number) => string): string =>
    slots.flatMap((slot) => rows.flatMap((y) => phases.map((x) => text(slot, y, x)))).join(" ");
  const array = `array<${lane.float}>`;

  const columns = (stored: (sum: string) => string): string => /* wgsl */ `
  let begin = max(firstColumn - ${slots.length - 1}, -params.firstCellX);
  for (var column = begin; column < endColumn; column++) {
    ${columnText({ rows: sources, column: "params.firstCellX + column", load, name: "dy_" })}
    ${range(kernelHeight)
      .flatMap((ky) =>
        range(kernelWidth).flatMap((kx) =>
          range(cells).map((cell) => {
            const to = sum(Math.floor(kx / strideX), cell * strideY + (ky % strideY), kx % strideX);
            const source = cell + reach - Math.floor(ky / strideY);
            return `${to} = fma(dy_${source}, ${weights.of(ky * kernelWidth + kx)}, ${to});`;
          }),
        ),
      )
      .join("\n    ")}
    if (column >= firstColumn) {
      let inX = (params.firstCellX + column) * ${strideX} - params.padLeft;
      ${phases
        .flatMap((x) =>
          rows.map(
            (y) =>
              `if (inY + ${y} >= 0 && inY + ${y} < params.inHeight && inX + ${x} >= 0 && inX + ${x} < params.inWidth) {
        let place = u32((image * params.inHeight + inY + ${y}) * params.inWidth + inX + ${x});
        ${stored(sum(0, y, x))}
      }`,
          ),
        )
        .join("\n      ")}
    }
    ${eachSum((slot, y, x) => `${sum(slot, y, x)} = ${slot + 1 < slots.length ? sum(slot + 1, y, x) : "T()"};`)}
  }`;

  const kernel = defineKernel({
    label: "depthwise_conv2d_backward_data",
    read: { ...load.read, w: array, ...store.read },
    write: store.write,
    params: {
      ...walk.params,
      ...extentParams(g),
      ...load.params,
      ...store.params,
      firstCellY: i32(firstCellY),
      firstCellX: i32(firstCellX),
    },
    workgroups: walkGroups(target, walk, walk.units),
    body: `${load.functions ?? ""}${store.functions ?? ""}${walkMain(
      target,
      lane,
      "params.units",
      /* wgsl */ `let unit = first;
  ${unitText}
  let cell = params.firstCellY + strip * ${cells};
  let inY = cell * ${strideY} - params.padTop;
  ${rowsText(sources)}
  ${load.channel("quad")}
  ${weights.declare}
  ${eachSum((...at) => `var ${sum(...at)} = T();`)}
  ${store.text(columns)}`,
    )}`,
  });
  return { kernel: { ...kernel, flops: tapFlops(g) * g.inChannels }, partialCount: walk.units };
}
