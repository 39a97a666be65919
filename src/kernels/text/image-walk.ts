/**
 * @file How kernels walk images `[N, pixels, C]` where each image and channel is apart, as a mean over the pixels of an image. As
 * in channels.ts channels come in columns of four or one, the pixels of an image are shared out over *parts*, and one invocation
 * walks one part of one image down one column: neither barrier nor workgroup memory.
 */
import { linearGrid, linearIndex, u32 } from "../kernel.ts";
import type { KernelTarget, Uniform } from "../kernel.ts";
import { laneFor } from "./lane.ts";

const SIZE = 64;
/** Fewer pixels than this are not worth an invocation of their own. */
const LEAST_PIXELS = 8;
/** Invocations that fill the machine. */
const INVOCATIONS = { register: 2 ** 11, workgroup: 2 ** 17 } as const;

/** Images as the walk sees them. */
export interface WalkedImages {
  readonly batch: number;
  /** Of each image. */
  readonly pixels: number;
  readonly channels: number;
}

export interface ImageWalk {
  /** WGSL type of a column of a pixel: `T` in the text. */
  readonly type: "vec4f" | "f32";
  /** Of each image. */
  readonly parts: number;
  readonly params: Readonly<Record<string, Uniform>>;
  readonly workgroups: readonly [number, number, number];
}

/** Shares the pixels of each image out over at most `parts` parts, none empty; by default as many as fill the machine. */
export function imageWalk(
  target: KernelTarget,
  { batch, pixels, channels }: WalkedImages,
  parts = Infinity,
): ImageWalk {
  const { width, float } = laneFor(channels);
  const columns = channels / width;
  const enough = Math.min(INVOCATIONS[target.family] / (batch * columns), pixels / LEAST_PIXELS, parts);
  const pixelsPerPart = Math.ceil(pixels / Math.max(1, Math.floor(enough)));
  const used = Math.ceil(pixels / pixelsPerPart);
  // Blocks suit a CPU's caches; on hardware a subgroup reads one piece of memory.
  const blocks = target.family === "register";
  const stride = blocks ? 1 : used;
  return {
    type: float,
    parts: used,
    params: {
      columns: u32(columns),
      pixels: u32(pixels),
      parts: u32(used),
      units: u32(batch * used),
      partStride: u32(blocks ? pixelsPerPart : 1),
      pixelStride: u32(stride),
      span: u32(pixelsPerPart * stride),
    },
    workgroups: linearGrid(target, batch * used * columns, SIZE),
  };
}

/**
 * WGSL for a walk: `start` once an invocation, with `image`, `column`, and `unit`, the number of the part among those of all images;
 * `pixel` at each pixel, with its index `at`.
 */
export function imageWalkText(
  { type }: ImageWalk,
  text: { start: string; pixel: string; end?: string },
): string {
  return /* wgsl */ `
alias T = ${type};

@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  let unit = index / params.columns;
  if (unit >= params.units) { return; }
  let column = index - unit * params.columns;
  let image = unit / params.parts;
  let first = (unit - image * params.parts) * params.partStride;
  let end = min(params.pixels, first + params.span);
  ${text.start}
  for (var pixel = first; pixel < end; pixel += params.pixelStride) {
    let at = (image * params.pixels + pixel) * params.columns + column;
    ${text.pixel}
  }
  ${text.end ?? ""}
}`;
}
