/**
 * @file A batch norm with an activation, from the planes of text/norm-planes.ts, where no product applies it in passing:
 * its result and the gradient of what comes before the activation with the sums that γ and β want.
 */
import type { Planes } from "./conv2d/load.ts";
import type { StoredGradient } from "./conv2d/store.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget, Uniform } from "./kernel.ts";
import { activationGradientText, activationText } from "./text/activation.ts";
import type { ActivationKind } from "./text/activation.ts";
import type { ChannelRange } from "./text/channel-range.ts";
import { channelWalk, walkText } from "./text/channels.ts";
import type { ChannelWalk } from "./text/channels.ts";
import { filledUp, laneFor } from "./text/lane.ts";
import { planeIndex } from "./text/norm-planes.ts";
import type { NormPlane } from "./text/norm-planes.ts";

export interface ActivatedNorm {
  readonly activation: ActivationKind;
  /** Of the norm's input, `x`. */
  readonly x: ChannelRange;
  /** Of `norm`. */
  readonly planes: Planes;
}

/** In lanes of `lane` channels, as all that follows. */
export const rangeParams = (
  name: string,
  { width, begin }: ChannelRange,
  lane: 4 | 1,
): Record<string, Uniform> => ({
  [`${name}Stride`]: u32(width / lane),
  [`${name}Begin`]: u32(begin / lane),
});

/** Of the buffer `norm`, or of number `id` of several. */
export const planesParams = (
  { size, begin }: Planes,
  lane: 4 | 1,
  id: number | "" = "",
): Record<string, Uniform> => ({
  [`norm${id}Size`]: u32(size / lane),
  [`norm${id}Begin`]: u32(begin / lane),
});

export const planesText = (planes: readonly NormPlane[], id: number | "" = ""): string =>
  planes
    .map(
      (plane) =>
        `let ${plane}${id} = load_norm${id}(${planeIndex(plane)}u * params.norm${id}Size + params.norm${id}Begin + column);`,
    )
    .join("\n  ");

const at = (name: string): string => `row * params.${name}Stride + params.${name}Begin + column`;

/**
 * The channels `z` of a tensor become activation((x − mean)·scale + beta). Where they do not come in fours, `x` and `z` are
 * tensors of their own.
 */
export function activatedNorm(
  target: KernelTarget,
  rows: number,
  channels: number,
  { activation, x, planes, z }: ActivatedNorm & { readonly z: ChannelRange },
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  const { width } = laneFor(channels);
  const array = `array<${walk.type}>`;
  return defineKernel({
    label: `activated_norm_${activation}`,
    read: { x: array, norm: array },
    write: { z: array },
    params: {
      ...walk.params,
      ...rangeParams("x", x, width),
      ...rangeParams("z", z, width),
      ...planesParams(planes, width),
    },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: planesText(["mean", "scale", "beta"]),
      row: `let before = fma(load_x(${at("x")}) - mean, scale, beta);
    store_z(${at("z")}, ${activationText(activation, "before", "T")});`,
    }),
  });
}

/**
 * da = dz·activation'((x − mean)·scale + beta), as `stored` says, to the channels `gradient` of a tensor, if any; and, a partial of
 * `walk` each from number `firstPartial` on, `partials` `[partials, 2, channels]`, filled up to fours: Σ da and Σ da·x̂.
 *
 * @param options.dz of the tensor that holds dz
 */
export function activatedNormGradient(
  walk: ChannelWalk,
  firstPartial: number,
  {
    activation,
    x,
    planes,
    gradient,
    stored,
    dz,
  }: ActivatedNorm & {
    /** Null where da is not stored: it is dz, of a linear activation. */
    readonly gradient: ChannelRange | null;
    readonly stored: StoredGradient;
    /** Null where it lies where da is to lie, and is not bound. */
    readonly dz: ChannelRange | null;
  },
): Kernel {
  const left = { plain: "da", scaled: "gamma * da", accumulated: "load_gradient(to) + gamma * da" }[stored];
  const array = `array<${walk.type}>`;
  const width = walk.type === "vec4f" ? 4 : 1;
  const columns = walk.params.columns.value;
  return defineKernel({
    label: `activated_norm_${activation}_gradient`,
    read: { ...(dz && { dz: array }), x: array, norm: array },
    write: { ...(gradient && { gradient: array }), partials: array },
    params: {
      ...walk.params,
      ...rangeParams("x", x, width),
      ...(gradient && rangeParams("gradient", gradient, width)),
      ...(dz && rangeParams("dz", dz, width)),
      ...planesParams(planes, width),
      firstPartial: u32(firstPartial),
      filled: u32(width === 4 ? columns : filledUp(columns)),
    },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: `${planesText(["mean", "scale", "beta", "inverse", ...(stored === "plain" ? [] : ["gamma" as const])])}
  var sum = T();
  var product = T();`,
      row: `let value = load_x(${at("x")}) - mean;
    let before = fma(value, scale, beta);
    ${gradient ? `let to = ${at("gradient")};` : ""}
    let dz = ${dz ? `load_dz(${at("dz")})` : "load_gradient(to)"};
    let da = ${activationGradientText(activation, "before", "dz", "T")};
    sum += da;
    product += da * (value * inverse);
    ${gradient ? `store_gradient(to, ${left});` : ""}`,
      end: `let to = (params.firstPartial + partialIndex) * 2u * params.filled + column;
  store_partials(to, sum);
  store_partials(to + params.filled, product);`,
    }),
  });
}
