import { expect } from "vitest";
import type { ChannelRange } from "../../../src/kernels/text/channel-range.ts";

/** What lies where a kernel must neither read nor write; large enough to be seen in any sum. */
export const RUBBISH = 1e6;

export const rubbish = (length: number): Float32Array => new Float32Array(length).fill(RUBBISH);

/** `[rows, channels]` as the channels `range` of `[rows, range.width]`, rubbish in the others. */
export function embed(
  values: ArrayLike<number>,
  channels: number,
  { width, begin }: ChannelRange,
): Float32Array {
  const wide = rubbish((values.length / channels) * width);
  for (let i = 0; i < values.length; i++)
    wide[Math.floor(i / channels) * width + begin + (i % channels)] = values[i];
  return wide;
}

/** The channels `range` of `wide`; fails unless all others are the rubbish they were. */
export function extract(wide: Float32Array, channels: number, { width, begin }: ChannelRange): Float32Array {
  const values = Float32Array.from({ length: (wide.length / width) * channels }, (_, i) => {
    return wide[Math.floor(i / channels) * width + begin + (i % channels)];
  });
  const touched = embed(values, channels, { width, begin }).findIndex((value, i) => value !== wide[i]);
  expect(touched, "element that was not to be written").toBe(-1);
  return values;
}

/** Planes of one number a channel, `[planes, channels]`, as the channels `range` of wider planes. */
export const embedPlanes = (planes: readonly Float32Array[], range: ChannelRange): Float32Array =>
  embed(
    planes.flatMap((plane) => [...plane]),
    planes[0].length,
    range,
  );
