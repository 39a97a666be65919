/**
 * @file The small kernels between the products of a backward pass through batch norms with the statistics of the batch:
 * they merge what the tiles of a product left, and make the coefficients with which the next product loads the gradient.
 *
 * `partials` are `[partials, 2, channels]`, filled up to fours: Σ dz and Σ dz·x̂ a tile. `norm`: the planes of norm-planes.ts. n: rows of the batch.
 */
import { channelGrid, channelMain } from "./text/channel-grid.ts";
import type { ChannelRange } from "./text/channel-range.ts";
import type { Planes } from "./conv2d/load.ts";
import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget, Uniform } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { GRADIENT_PLANES, normChannelsParams, planeIndex, planesLength } from "./text/norm-planes.ts";
import type { NormChannels, NormPlane } from "./text/norm-planes.ts";
import { partialsKernel } from "./text/partials.ts";
import type { PartialsText } from "./text/partials.ts";

export interface NormGradientPlace extends NormChannels {
  /** Rows of the whole batch. */
  readonly rows: number;
  readonly partialCount: number;
}

const VECTORS = "array<vec4f>";

const params = (place: NormGradientPlace): Record<string, Uniform> => ({
  ...normChannelsParams(place),
  channels: u32(place.channels),
  share: f32(1 / place.rows),
  partialCount: u32(place.partialCount),
});

/** Quads of channels, filled up. */
const filledQuads = ({ channels, alignment = 4 }: NormGradientPlace): number =>
  (Math.ceil(channels / alignment) * alignment) / 4;

const normAt = (plane: NormPlane): string => `load_norm(${planeIndex(plane)}u * params.normSize + at)`;

/** WGSL that brings Σ dz and Σ dz·x̂ over all partials to `sumBeta` and `sumGamma` and writes them to `dbeta` and `dgamma`. */
const mergeSums = ({ eachPartial, total }: PartialsText): string => /* wgsl */ `
  var sumBeta = vec4f();
  var sumGamma = vec4f();
  if (quad >= params.quads) {
    if (writer) {
      store_dbeta(params.parametersBegin + quad, vec4f());
      store_dgamma(params.parametersBegin + quad, vec4f());
    }
    return;
  }
  ${eachPartial(
    "params.partialCount",
    `let start = partialIndex * 2u * params.quads + quad;
    sumBeta += load_partials(start);
    sumGamma += load_partials(start + params.quads);`,
  )}
  ${total("sumBeta")}
  ${total("sumGamma")}
  if (!writer) { return; }
  // Lanes behind the last channel belong to nobody: an optimizer takes them with the others.
  let inside = 4u * vec4u(quad) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.channels);
  sumBeta = select(vec4f(), sumBeta, inside);
  sumGamma = select(vec4f(), sumGamma, inside);
  let at = params.normBegin + quad;
  store_dbeta(params.parametersBegin + quad, sumBeta);
  store_dgamma(params.parametersBegin + quad, sumGamma);`;

/**
 * The gradients of γ and β, and `coefficients` `[4, normSize]`, the planes mean, slope = γ·s, tilt = −slope·s·dγ/n and
 * offset = −slope·dβ/n.
 */
export function mergeNormGradient(target: KernelTarget, place: NormGradientPlace): Kernel {
  return partialsKernel(target, filledQuads(place), {
    label: "merge_norm_gradient",
    read: { partials: VECTORS, norm: VECTORS },
    write: { coefficients: VECTORS, dgamma: VECTORS, dbeta: VECTORS },
    params: params(place),
    body: (text) => /* wgsl */ `${mergeSums(text)}
  let slope = ${normAt("scale")};
  let tilt = -slope * ${normAt("inverse")} * sumGamma * params.share;
  store_coefficients(at, ${normAt("mean")});
  store_coefficients(params.normSize + at, slope);
  store_coefficients(2u * params.normSize + at, tilt);
  store_coefficients(3u * params.normSize + at, -slope * sumBeta * params.share);`,
  });
}

/** Planes of `joint`, in their order. */
const JOINT_PLANES = [...GRADIENT_PLANES, "beta", "gamma"] as const;
export const jointLength = (channels: number): number => planesLength(JOINT_PLANES, channels);

/**
 * The gradients of γ and β of one of the batch norms that share the statistics of their channels, and its part in what
 * the statistics cost all of them together. `joint` `[6, size]` holds the planes mean, slope = s, tilt and
 * offset, of which the gradient by a channel is `slope·G + tilt·(x − mean) + offset`, where G = Σ γ·dz over the norms, and
 * the sums Σ γ·dβ and Σ γ·dγ so far, of which they are made. The `first` of the norms begins them.
 */
export function mergeSharedNormGradient(
  target: KernelTarget,
  place: NormGradientPlace & { readonly jointSize: number; readonly first: boolean },
): Kernel {
  const jointAt = (plane: (typeof JOINT_PLANES)[number]): string =>
    `${JOINT_PLANES.indexOf(plane)}u * params.jointSize + quad`;
  return partialsKernel(target, filledQuads(place), {
    label: "merge_shared_norm_gradient",
    read: { partials: VECTORS, norm: VECTORS },
    write: { joint: VECTORS, dgamma: VECTORS, dbeta: VECTORS },
    params: { ...params(place), jointSize: u32(place.jointSize / 4), first: u32(place.first ? 1 : 0) },
    body: (text) => /* wgsl */ `${mergeSums(text)}
  let weight = ${normAt("gamma")};
  var beta = weight * sumBeta;
  var gamma = weight * sumGamma;
  if (params.first == 0u) {
    beta += load_joint(${jointAt("beta")});
    gamma += load_joint(${jointAt("gamma")});
  }
  let slope = ${normAt("inverse")};
  store_joint(${jointAt("mean")}, ${normAt("mean")});
  store_joint(${jointAt("beta")}, beta);
  store_joint(${jointAt("gamma")}, gamma);
  store_joint(${jointAt("slope")}, slope);
  store_joint(${jointAt("tilt")}, -slope * slope * gamma * params.share);
  store_joint(${jointAt("offset")}, -slope * beta * params.share);`,
  });
}

/**
 * `dx = slope·gradient + tilt·(x − mean) + offset` for `channels` channels: `gradient` and `x` from the channels of their
 * ranges on, the planes in `coefficients` `[.., planes.size]`, `dx` `[rows, channels]`. Where the channels do not come in
 * fours, all are tensors of their own.
 */
export function normInputGradient(
  target: KernelTarget,
  rows: number,
  channels: number,
  {
    gradient,
    x,
    planes,
  }: { readonly gradient: ChannelRange; readonly x: ChannelRange; readonly planes: Planes },
): Kernel {
  const { width, float } = laneFor(channels);
  const array = `array<${float}>`;
  return defineKernel({
    label: "norm_input_gradient",
    read: { gradient: array, x: array, coefficients: array },
    write: { dx: array },
    params: {
      rows: u32(rows),
      channels: u32(channels / width),
      gradientStride: u32(gradient.width / width),
      gradientBegin: u32(gradient.begin / width),
      xStride: u32(x.width / width),
      xBegin: u32(x.begin / width),
      size: u32(planes.size / width),
      begin: u32(planes.begin / width),
    },
    workgroups: channelGrid(target, rows, channels / width),
    body: channelMain(/* wgsl */ `
    let value = load_x(row * params.xStride + params.xBegin + channel);
    let at = params.begin + channel;
    let slope = load_coefficients(params.size + at);
    let tilt = load_coefficients(2u * params.size + at);
    let rest = tilt * (value - load_coefficients(at)) + load_coefficients(3u * params.size + at);
    let own = load_gradient(row * params.gradientStride + params.gradientBegin + channel);
    store_dx(row * params.channels + channel, slope * own + rest);`),
  });
}
