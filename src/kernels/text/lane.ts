/** WGSL types of what an invocation takes at once, and of its comparisons and window positions: four elements or one. */
export interface Lane {
  readonly width: 4 | 1;
  readonly float: "vec4f" | "f32";
  readonly uint: "vec4u" | "u32";
}

/** Four elements an invocation where all of `extents` (lengths, channel counts and offsets) allow it. */
export function laneFor(...extents: number[]): Lane {
  return extents.every((extent) => extent % 4 === 0)
    ? { width: 4, float: "vec4f", uint: "vec4u" }
    : { width: 1, float: "f32", uint: "u32" };
}

/** So many channels, filled up to fours. */
export const filledUp = (channels: number): number => 4 * Math.ceil(channels / 4);
