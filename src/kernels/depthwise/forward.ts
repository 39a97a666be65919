import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import { tapFlops } from "../conv2d/geometry.ts";
import { plainLoad } from "../conv2d/load.ts";
import { range } from "../conv2d/register-tile.ts";
import { defineKernel, u32 } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";
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
import { walkStore } from "./fusion.ts";
import type { DepthwiseFusion, DepthwiseKernel } from "./fusion.ts";
import { weightsText } from "./weights-text.ts";

/** What a depthwise convolution forward does besides. */
export interface DepthwiseForwardFusion extends DepthwiseFusion {
  /**
   * Leaves the moments of each channel over the pixels of each unit: `partials` `[units, 2, C]`, mean and biased variance, and
   * `counts` `[units]`, from unit `firstPartial` on. C must be a multiple of 4.
   */
  readonly moments?: { readonly firstPartial: number };
}

/**
 * Depthwise 2-D convolution (`tf.nn.depthwise_conv2d`): reads `x` `[N, H, W, C]` and `w` `[kh, kw, C, 1]`, writes `y`
 * `[N, Ho, Wo, C]`. `g.outChannels` is C.
 */
export function depthwiseForward(
  target: KernelTarget,
  g: Conv2dGeometry,
  { load: loadOf, store: storeOf, moments }: DepthwiseForwardFusion = {},
): DepthwiseKernel {
  const { kernelHeight, kernelWidth, strideY, strideX, inChannels } = g;
  const grid = { batch: g.batch, rows: g.outHeight, columns: g.outWidth, channels: inChannels };
  const stripSize = stripOf(g);
  const walk = depthwiseWalk(target, grid, stripSize);
  const { lane } = walk;
  const load = loadOf?.(lane.width) ?? plainLoad("x", lane.width, allChannels(inChannels));
  const store = walkStore(storeOf, "y", inChannels, lane);
  const slots = range(inFlight(kernelHeight, strideY));
  const strip = range(stripSize);
  const taps = tapsOfTurn(kernelHeight, strideY);
  const weights = weightsText(target, kernelHeight * kernelWidth);
  const sum = (slot: number, p: number): string => `sum${slot}_${p}`;
  const steps = [...new Set(taps.map(({ step }) => step))];
  const columns = (stripSize - 1) * strideX + kernelWidth;
  const array = `array<${lane.float}>`;

  const rows = (
    stored: (sum: string) => string,
  ): string => /* wgsl */ `for (var row = firstRow - ${slots.length - 1}; row < endRow; row++) {
    ${steps
      .map((step) =>
        rowText({
          columns: "x",
          count: columns,
          row: `row * ${strideY} - params.padTop + ${kernelHeight - strideY + step}`,
          height: "params.inHeight",
          width: "params.inWidth",
          name: `x${step}_`,
          pixel: (pixel, id) => load.pixel(pixel, id),
          value: (id) => load.value("quad", id),
        }),
      )
      .join("\n    ")}
    ${taps
      .flatMap(({ step, slot, ky }) =>
        range(kernelWidth).flatMap((kx) =>
          strip.map(
            (p) =>
              `${sum(slot, p)} = fma(x${step}_${p * strideX + kx}, ${weights.of(ky * kernelWidth + kx)}, ${sum(slot, p)});`,
          ),
        ),
      )
      .join("\n    ")}
    if (row >= firstRow) {
      let firstPlace = u32((image * params.outHeight + row) * params.outWidth + outX);
      ${strip
        .map(
          (p) => `if (outX + ${p} < params.outWidth) {
        let place = firstPlace + ${p}u;
        ${stored(sum(0, p))}${moments ? addMoment(sum(0, p)) : ""}
      }`,
        )
        .join("\n      ")}
    }
    ${slots
      .flatMap((slot) =>
        strip.map((p) => `${sum(slot, p)} = ${slot + 1 < slots.length ? sum(slot + 1, p) : "T()"};`),
      )
      .join(" ")}
  }`;

  const kernel = defineKernel({
    label: "depthwise_conv2d_forward",
    read: { ...load.read, w: array, ...store.read },
    write: { ...store.write, ...(moments && { partials: array, counts: "array<f32>" }) },
    params: {
      ...walk.params,
      ...extentParams(g),
      ...load.params,
      ...store.params,
      ...(moments && { firstPartial: u32(moments.firstPartial) }),
    },
    workgroups: walkGroups(target, walk, walk.units),
    body: `${load.functions ?? ""}${store.functions ?? ""}${walkMain(
      lane,
      "params.units",
      /* wgsl */ `let unit = first;
  ${unitText}
  let outX = strip * ${stripSize};
  let left = outX * ${strideX} - params.padLeft;
  ${columnsText("x", "left", columns, "params.inWidth")}
  ${load.channel("quad")}
  ${weights.declare}
  ${slots.flatMap((slot) => strip.map((p) => `var ${sum(slot, p)} = T();`)).join(" ")}
  ${moments ? "var count = 0.0; var origin = T(); var centre = T(); var squares = T();" : ""}
  ${store.text(rows)}
  ${
    moments
      ? /* wgsl */ `let partial = params.firstPartial + unit;
  store_partials(2u * partial * params.quads + quad, origin + centre);
  store_partials((2u * partial + 1u) * params.quads + quad, squares / count);
  if (quad == 0u) { store_counts(partial, count); }`
      : ""
  }`,
    )}`,
  });
  return {
    kernel: { ...kernel, flops: tapFlops(g) * inChannels },
    partialCount: walk.units,
  };
}

/** Welford's step, of values taken relative to the first one; see moments.ts. */
const addMoment = (value: string): string => /* wgsl */ `
        origin = select(origin, ${value}, count == 0.0);
        count += 1.0;
        let value = ${value} - origin;
        let deviation = value - centre;
        centre += deviation * (1.0 / count);
        squares += deviation * (value - centre);`;
