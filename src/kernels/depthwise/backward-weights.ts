import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import { tapFlops } from "../conv2d/geometry.ts";
import { plainLoad } from "../conv2d/load.ts";
import type { Load } from "../conv2d/load.ts";
import { range } from "../conv2d/register-tile.ts";
import { defineKernel, u32 } from "../kernel.ts";
import type { Kernel, KernelTarget } from "../kernel.ts";
import { allChannels } from "../text/channel-range.ts";
import { rowsByWeights, stripOf } from "./strip.ts";
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
import { windowText } from "./window.ts";

/**
 * Invocations that leave partials: on hardware enough to fill it, on a CPU few, as merging them costs as much as
 * many products.
 */
const INVOCATIONS = { register: 2 ** 7, workgroup: 2 ** 16 } as const;
/** Pixels that one partial sum may add up, for accuracy. */
const LONGEST_SUM = 2048;

/** Into how many partial sums the gradient by weights is cut, where at most `most` have a place. */
export function depthwisePartials(target: KernelTarget, g: Conv2dGeometry, most: number): number {
  const { walk, parts } = walkOf(target, g);
  const { units, params } = walk;
  const forWork = Math.ceil(INVOCATIONS[target.family] / (params.quads.value * parts));
  const forAccuracy = Math.ceil((g.batch * g.outHeight * g.outWidth) / LONGEST_SUM);
  return Math.max(1, Math.min(units, most, Math.max(forWork, forAccuracy)));
}

/** The walk along the output, the rows of its strip, and of the window those of a part, of which there are `parts`. */
function walkOf(target: KernelTarget, g: Conv2dGeometry) {
  const rows = rowsByWeights(target, g);
  const strip = stripOf(target, { ...g, kernelHeight: rows });
  const grid = { batch: g.batch, rows: g.outHeight, columns: g.outWidth, channels: g.inChannels };
  return { walk: depthwiseWalk(target, grid, strip), strip, rows, parts: Math.ceil(g.kernelHeight / rows) };
}

/**
 * Gradient of a depthwise convolution by its kernel: reads `x` `[N, H, W, C]` and `dy` `[N, Ho, Wo, C]`, leaves `partialCount` sums
 * over some of the pixels each, `dw` `[.., kh, kw, C]`, from number `firstPartial` on; see {@link depthwisePartials}.
 *
 * A walk goes along the output as forward, with the last columns of dy in registers in place of sums. Where the sums of the
 * whole window would not fit into registers, an invocation has those of some of its rows.
 */
export function depthwiseBackwardWeights(
  target: KernelTarget,
  g: Conv2dGeometry,
  {
    partialCount,
    firstPartial,
    left: leftOf,
    right: rightOf,
  }: {
    readonly partialCount: number;
    readonly firstPartial: number;
    /** How x and dy are loaded, by the width that suits the kernel; by default tensors of their own. */
    readonly left?: (width: 4 | 1) => Load;
    readonly right?: (width: 4 | 1) => Load;
  },
): Kernel {
  const { kernelHeight, kernelWidth, strideX, inChannels } = g;
  const { walk, strip, rows, parts } = walkOf(target, g);
  const { lane } = walk;
  const left = leftOf?.(lane.width) ?? plainLoad("x", lane.width, allChannels(inChannels));
  const right = rightOf?.(lane.width) ?? plainLoad("dy", lane.width, allChannels(inChannels));
  const window = windowText({ ...g, kernelHeight: rows }, strip, left, "firstRow");
  const results: LoadedRows = { name: "dy", extent: "out", first: "outY", count: strip };
  const slots = range(inFlight(kernelWidth, strideX));
  const taps = range(rows * kernelWidth);
  const dy = (slot: number, row: number): string => `dy${slot}_${row}`;
  const eachDy = (text: (slot: number, row: number) => string): string =>
    slots.flatMap((slot) => range(strip).map((row) => text(slot, row))).join(" ");
  const array = `array<${lane.float}>`;
  const storeText = (tap: number): string => `store_dw(to + ${tap}u * params.quads, sum${tap});`;
  /** All taps, or those of the rows that are of the window: the last part may have fewer. */
  const stored =
    parts * rows === kernelHeight
      ? taps.map(storeText)
      : range(rows).map((row) => {
          const own = taps.slice(row * kernelWidth, (row + 1) * kernelWidth);
          return `if (firstRow + ${row} < ${kernelHeight}) { ${own.map(storeText).join(" ")} }`;
        });

  const kernel = defineKernel({
    label: "depthwise_conv2d_backward_weights",
    read: { ...left.read, ...right.read },
    write: { dw: array },
    params: {
      ...walk.params,
      ...extentParams(g),
      ...left.params,
      ...right.params,
      partialCount: u32(partialCount),
      firstPartial: u32(firstPartial),
    },
    workgroups: walkGroups(target, walk, partialCount * parts),
    body: `${left.functions ?? ""}${right.functions ?? ""}${walkMain(
      target,
      lane,
      `${parts}u * params.partialCount`,
      /* wgsl */ `let partial = first / ${parts}u;
  let firstRow = i32(first - partial * ${parts}u) * ${rows};
  ${left.channel("quad")}
  ${right.channel("quad")}
  ${taps.map((tap) => `var sum${tap} = T();`).join(" ")}
  for (var unit = partial; unit < params.units; unit += params.partialCount) {
  ${unitText}
  ${window.declare}
  ${rowsText(results)}
  ${eachDy((...at) => `var ${dy(...at)} = T();`)}
  for (var column = firstColumn - ${slots.length - 1}; column < endColumn; column++) {
    ${columnText({
      rows: results,
      column: `column + ${slots.length - 1}`,
      where: `column + ${slots.length - 1} < endColumn`,
      load: right,
      name: "new_",
    })}
    ${eachDy((slot, row) => `${dy(slot, row)} = ${slot + 1 < slots.length ? dy(slot + 1, row) : `new_${row}`};`)}
    ${window.load}
    ${window.products(({ x, slot, row, tap }) => `sum${tap} = fma(${x}, ${dy(slot, row)}, sum${tap});`)}
  }
  }
  let firstTap = (params.firstPartial + partial) * ${kernelHeight * kernelWidth}u + u32(firstRow) * ${kernelWidth}u;
  let to = firstTap * params.quads + quad;
  ${stored.join("\n  ")}`,
    )}`,
  });
  return { ...kernel, flops: tapFlops(g) * inChannels };
}
