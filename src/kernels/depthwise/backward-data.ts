import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import { tapFlops } from "../conv2d/geometry.ts";
import { plainLoad } from "../conv2d/load.ts";
import { range } from "../conv2d/register-tile.ts";
import { defineKernel, i32 } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";
import { allChannels } from "../text/channel-range.ts";
import {
  columnsText,
  depthwiseWalk,
  extentParams,
  inFlight,
  rowText,
  stripOf,
  unitText,
  walkGroups,
  walkMain,
} from "./walk.ts";
import { walkStore } from "./fusion.ts";
import type { DepthwiseFusion, DepthwiseKernel } from "./fusion.ts";
import { weightsText } from "./weights-text.ts";

/**
 * Gradient of a depthwise convolution by its input: reads `dy` `[N, Ho, Wo, C]` and `w` `[kh, kw, C, 1]`, writes `dx`
 * `[N, H, W, C]`.
 *
 * The image with its padding is a grid of *cells*, strideY × strideX pixels each; row `o` of dy has a part in the cells of rows
 * `o` and following, always with the same taps. A walk goes down the cells.
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
  const stripCells = Math.max(1, Math.floor(stripOf(g) / strideX));
  const walk = depthwiseWalk(target, grid, stripCells);
  const { lane } = walk;
  const load = loadOf?.(lane.width) ?? plainLoad("dy", lane.width, allChannels(g.inChannels));
  const store = walkStore(storeOf, "dx", g.inChannels, lane);
  const slots = range(inFlight(kernelHeight, strideY));
  const reach = inFlight(kernelWidth, strideX) - 1;
  const columns = stripCells + reach;
  const [phasesY, phasesX] = [range(strideY), range(stripCells * strideX)];
  const weights = weightsText(target, kernelHeight * kernelWidth);
  const sum = (slot: number, y: number, x: number): string => `sum${slot}_${y}_${x}`;
  const eachSum = (text: (slot: number, y: number, x: number) => string): string =>
    slots.flatMap((slot) => phasesY.flatMap((y) => phasesX.map((x) => text(slot, y, x)))).join(" ");
  const array = `array<${lane.float}>`;

  const rows = (
    stored: (sum: string) => string,
  ): string => /* wgsl */ `for (var row = firstRow - ${slots.length - 1}; row < endRow; row++) {
    ${rowText({
      columns: "dy",
      count: columns,
      row: "params.firstCellY + row",
      height: "params.outHeight",
      width: "params.outWidth",
      name: "dy_",
      pixel: (pixel, id) => load.pixel(pixel, id),
      value: (id) => load.value("quad", id),
    })}
    ${range(kernelHeight)
      .flatMap((ky) =>
        range(kernelWidth).flatMap((kx) =>
          range(stripCells).map((cell) => {
            const to = sum(Math.floor(ky / strideY), ky % strideY, cell * strideX + (kx % strideX));
            const column = cell + reach - Math.floor(kx / strideX);
            return `${to} = fma(dy_${column}, ${weights.of(ky * kernelWidth + kx)}, ${to});`;
          }),
        ),
      )
      .join("\n    ")}
    if (row >= firstRow) {
      ${phasesY
        .map(
          (y) => `{ let inY = (params.firstCellY + row) * ${strideY} + ${y} - params.padTop;
      let at = ((image * params.inHeight + inY) * params.inWidth + inX);
      let insideY = inY >= 0 && inY < params.inHeight;
      ${phasesX
        .map(
          (x) =>
            `if (insideY && inX + ${x} >= 0 && inX + ${x} < params.inWidth) { let place = u32(at + ${x}); ${stored(sum(0, y, x))} }`,
        )
        .join("\n      ")} }`,
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
      lane,
      "params.units",
      /* wgsl */ `let unit = first;
  ${unitText}
  let cell = params.firstCellX + strip * ${stripCells};
  let left = cell - ${reach};
  ${columnsText("dy", "left", columns, "params.outWidth")}
  let inX = cell * ${strideX} - params.padLeft;
  ${load.channel("quad")}
  ${weights.declare}
  ${eachSum((...at) => `var ${sum(...at)} = T();`)}
  ${store.text(rows)}`,
    )}`,
  });
  return { kernel: { ...kernel, flops: tapFlops(g) * g.inChannels }, partialCount: walk.units };
}
