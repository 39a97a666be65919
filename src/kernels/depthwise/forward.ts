import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import { tapFlops } from "../conv2d/geometry.ts";
import { plainLoad } from "../conv2d/load.ts";
import { range } from "../conv2d/register-tile.ts";
import { defineKernel, i32, u32 } from "../kernel.ts";
import type { KernelTarget } from "../kernel.ts";
import { allChannels } from "../text/channel-range.ts";
import { stripOf } from "./strip.ts";
import { depthwiseWalk, extentParams, inFlight, unitText, walkGroups, walkMain } from "./walk.ts";
import { walkStore } from "./fusion.ts";
import type { DepthwiseFusion, DepthwiseKernel } from "./fusion.ts";
import { weightsText } from "./weights-text.ts";
import { windowText } from "./window.ts";

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
  const { kernelHeight, kernelWidth, strideX, inChannels } = g;
  const grid = { batch: g.batch, rows: g.outHeight, columns: g.outWidth, channels: inChannels };
  const strip = stripOf(target, g);
  const walk = depthwiseWalk(target, grid, strip);
  const { lane } = walk;
  const load = loadOf?.(lane.width) ?? plainLoad("x", lane.width, allChannels(inChannels));
  const store = walkStore(storeOf, "y", inChannels, lane);
  const window = windowText(g, strip, load);
  const weights = weightsText(target, kernelHeight * kernelWidth);
  const slots = range(inFlight(kernelWidth, strideX));
  const rows = range(strip);
  const sum = (slot: number, row: number): string => `sum${slot}_${row}`;
  const eachSum = (text: (slot: number, row: number) => string): string =>
    slots.flatMap((slot) => rows.map((row) => text(slot, row))).join(" ");
  const array = `array<${lane.float}>`;

  const columns = (stored: (sum: string) => string): string => /* wgsl */ `
  let begin = min(firstColumn, max(firstColumn - ${slots.length - 1}, params.begin));
  for (var column = begin; column < endColumn; column++) {
    ${window.load}
    ${window.products(({ x, slot, row, tap }) => `${sum(slot, row)} = fma(${x}, ${weights.of(tap)}, ${sum(slot, row)});`)}
    if (column >= firstColumn) {
      ${rows
        .map(
          (row) => `if (outY + ${row} < params.outHeight) {
        let place = u32((image * params.outHeight + outY + ${row}) * params.outWidth + column);
        ${stored(sum(0, row))}${moments ? addMoment(sum(0, row)) : ""}
      }`,
        )
        .join("\n      ")}
    }
    ${eachSum((slot, row) => `${sum(slot, row)} = ${slot + 1 < slots.length ? sum(slot + 1, row) : "T()"};`)}
  }`;

  const kernel = defineKernel({
    label: "depthwise_conv2d_forward",
    read: { ...load.read, w: array, ...store.read },
    write: { ...store.write, ...(moments && { partials: array, counts: "array<f32>" }) },
    params: {
      ...walk.params,
      ...extentParams(g),
      begin: i32(window.begin),
      ...load.params,
      ...store.params,
      ...(moments && { firstPartial: u32(moments.firstPartial) }),
    },
    workgroups: walkGroups(target, walk, walk.units),
    body: `${load.functions ?? ""}${store.functions ?? ""}${walkMain(
      target,
      lane,
      "params.units",
      /* wgsl */ `let unit = first;
  ${unitText}
  ${window.declare}
  ${load.channel("quad")}
  ${weights.declare}
  ${eachSum((...at) => `var ${sum(...at)} = T();`)}
  ${moments ? "var count = 0.0; var origin = T(); var centre = T(); var squares = T();" : ""}
  ${store.text(columns)}
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
  return { kernel: { ...kernel, flops: tapFlops(g) * inChannels }, partialCount: walk.units };
}

/** Welford's step, of values taken relative to the first one; see moments.ts. */
const addMoment = (value: string): string => /* wgsl */ `
        origin = select(origin, ${value}, count == 0.0);
        count += 1.0;
        let value = ${value} - origin;
        let deviation = value - centre;
        centre += deviation * (1.0 / count);
        squares += deviation * (value - centre);`;
