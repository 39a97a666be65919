/**
 * @file A batch norm brought into the form in which products apply it while they load and store: planes of one number a
 * channel, one after the other in one buffer, `[planes, channels]`. With s = 1/sqrt(variance + ε):
 *
 * - `mean`, `scale` = γ·s and `beta`: the norm is (x − mean)·scale + β. Taken together, β − mean·scale would save a plane
 *   and cost digits wherever the mean is much larger than the deviation;
 * - `inverse` = s: the normalized value is x̂ = (x − mean)·s;
 * - `gamma`;
 * - `variance`, towards which a moving one moves.
 */
import { u32 } from "../kernel.ts";
import type { Uniform } from "../kernel.ts";

export const NORM_PLANES = ["mean", "scale", "beta", "inverse", "gamma", "variance"] as const;
export type NormPlane = (typeof NORM_PLANES)[number];

/** The same of its gradient: by x it is `slope·dz + tilt·(x − mean) + offset`, with dz that of its output. */
export const GRADIENT_PLANES = ["mean", "slope", "tilt", "offset"] as const;

/** Where the channels of a batch norm lie in its buffers; everything in channels, multiples of 4 but for `channels` itself. */
export interface NormChannels {
  readonly channels: number;
  /** To which multiple of channels its gradients of γ and β are filled up with zeros; 4 by default. */
  readonly alignment?: number;
  /** The first one in γ and β and in their gradients. */
  readonly parametersBegin: number;
  /** The first one within a plane, and how many a plane has. */
  readonly normBegin: number;
  readonly normSize: number;
}

/** The uniforms of {@link NormChannels}, in quads of channels. */
export const normChannelsParams = (place: NormChannels): Record<string, Uniform> => ({
  quads: u32(Math.ceil(place.channels / 4)),
  parametersBegin: u32(place.parametersBegin / 4),
  normBegin: u32(place.normBegin / 4),
  normSize: u32(place.normSize / 4),
});

/** Numbers in the planes of `channels` channels each. */
export const planesLength = (planes: readonly string[], channels: number): number => planes.length * channels;

/** Number of a plane. */
export const planeIndex = (plane: NormPlane): number => NORM_PLANES.indexOf(plane);
