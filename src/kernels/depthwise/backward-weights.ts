import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import { tapFlops } from "../conv2d/geometry.ts";
import { plainLoad } from "../conv2d/load.ts";
import type { Load } from "../conv2d/load.ts";
import { range } from "../conv2d/register-tile.ts";
import { defineKernel, u32 } from "../kernel.ts";
import type { Kernel, KernelTarget } from "../kernel.ts";
import { allChannels } from "../text/channel-range.ts";
import {
  columnsText,
  depthwiseWalk,
  extentParams,
  inFlight,
  rowText,
  stripOf,
  tapsOfTurn,
  unitText,
  walkGroups,
  walkMain,
} from "./walk.ts";

/** Units that may leave partials: on hardware enough to fill it, on a CPU few. */
const INVOCATIONS = { register: 2 ** 9, workgroup: 2 ** 16 } as const;
/** Pixels that one partial sum may add up, for accuracy. */
const LONGEST_SUM = 2048;

/** Into how many partial sums the gradient by weights is cut, where at most `most` have a place. */
export function depthwisePartials(target: KernelTarget, g: Conv2dGeometry, most: number): number {
  const { units, params } = walkOf(target, g);
  const forWork = Math.ceil(INVOCATIONS[target.family] / params.quads.value);
  const forAccuracy = Math.ceil((g.batch * g.outHeight * g.outWidth) / LONGEST_SUM);
  return Math.max(1, Math.min(units, most, Math.max(forWork, forAccuracy)));
}

const walkOf = (target: KernelTarget, g: Conv2dGeometry) =>
  depthwiseWalk(
    target,
    { batch: g.batch, rows: g.outHeight, columns: g.outWidth, channels: g.inChannels },
    stripOf(g),
  );

/**
 * Gradient of a depthwise convolution by its kernel: reads `x` `[N, H, W, C]` and `dy` `[N, Ho, Wo, C]`, leaves `partialCount` sums
 * over some of the pixels each, `dw` `[.., kh, kw, C]`, from number `firstPartial` on; see {@link depthwisePartials}.
 *
 * A walk goes down the output as forward, with the last rows of dy in registers in place of sums.
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
  const { kernelHeight, kernelWidth, strideY, strideX, inChannels } = g;
  const walk = walkOf(target, g);
  const { lane } = walk;
  const left = leftOf?.(lane.width) ?? plainLoad("x", lane.width, allChannels(inChannels));
  const right = rightOf?.(lane.width) ?? plainLoad("dy", lane.width, allChannels(inChannels));
  const stripSize = stripOf(g);
  const slots = range(inFlight(kernelHeight, strideY));
  const strip = range(stripSize);
  const taps = range(kernelHeight * kernelWidth);
  const turn = tapsOfTurn(kernelHeight, strideY);
  const steps = [...new Set(turn.map(({ step }) => step))];
  const columns = (stripSize - 1) * strideX + kernelWidth;
  const dy = (slot: number, p: number): string => `dy${slot}_${p}`;
  const array = `array<${lane.float}>`;

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
    workgroups: walkGroups(target, walk, partialCount),
    body: `${left.functions ?? ""}${right.functions ?? ""}${walkMain(
      lane,
      "params.partialCount",
      /* wgsl */ `${left.channel("quad")}
  ${right.channel("quad")}
  ${taps.map((tap) => `var sum${tap} = T();`).join(" ")}
  for (var unit = first; unit < params.units; unit += params.partialCount) {
  ${unitText}
  let outX = strip * ${stripSize};
  let left = outX * ${strideX} - params.padLeft;
  ${columnsText("x", "left", columns, "params.inWidth")}
  ${columnsText("dy", "outX", stripSize, "params.outWidth")}
  ${slots.flatMap((slot) => strip.map((p) => `var ${dy(slot, p)} = T();`)).join(" ")}
  for (var row = firstRow - ${slots.length - 1}; row < endRow; row++) {
    ${rowText({
      columns: "dy",
      count: stripSize,
      row: `row + ${slots.length - 1}`,
      where: `row + ${slots.length - 1} < endRow`,
      height: "params.outHeight",
      width: "params.outWidth",
      name: "new_",
      pixel: (pixel, id) => right.pixel(pixel, id),
      value: (id) => right.value("quad", id),
    })}
    ${slots
      .flatMap((slot) =>
        strip.map((p) => `${dy(slot, p)} = ${slot + 1 < slots.length ? dy(slot + 1, p) : `new_${p}`};`),
      )
      .join(" ")}
    ${steps
      .map((step) =>
        rowText({
          columns: "x",
          count: columns,
          row: `row * ${strideY} - params.padTop + ${kernelHeight - strideY + step}`,
          height: "params.inHeight",
          width: "params.inWidth",
          name: `x${step}_`,
          pixel: (pixel, id) => left.pixel(pixel, id),
          value: (id) => left.value("quad", id),
        }),
      )
      .join("\n    ")}
    ${turn
      .flatMap(({ step, slot, ky }) =>
        range(kernelWidth).flatMap((kx) =>
          strip.map((p) => {
            const to = `sum${ky * kernelWidth + kx}`;
            return `${to} = fma(x${step}_${p * strideX + kx}, ${dy(slot, p)}, ${to});`;
          }),
        ),
      )
      .join("\n    ")}
  }
  }
  let to = (params.firstPartial + first) * ${taps.length}u * params.quads + quad;
  ${taps.map((tap) => `store_dw(to + ${tap}u * params.quads, sum${tap});`).join("\n  ")}`,
    )}`,
  });
  return { ...kernel, flops: tapFlops(g) * inChannels };
}
