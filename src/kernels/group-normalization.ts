import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget, Uniform } from "./kernel.ts";
import { lanesSum, normalizedText, vectorBindings } from "./layer-normalization.ts";
import type { LayerNormForwardOptions } from "./layer-normalization.ts";
import { laneFor } from "./text/lane.ts";
import type { Lane } from "./text/lane.ts";
import { rowGroupKernel } from "./text/row-group.ts";

/** Images `[batch, pixels, groups · groupSize]`; a row is one group's channels of one image. */
export interface GroupedImages {
  readonly batch: number;
  readonly pixels: number;
  readonly groups: number;
  readonly groupSize: number;
}

/**
 * Group norm: as `layerNormForward`, of which each row here is one group of channels of one image `x` `[batch, pixels, C]`. γ and β are
 * `[C]`, `statistics` `[.., groups, 2]`.
 */
export function groupNormForward(
  target: KernelTarget,
  images: GroupedImages,
  { epsilon, keeps, firstRow, ...vectors }: LayerNormForwardOptions,
): Kernel {
  const walk = groupWalk(images);
  const { width, float } = walk.lane;
  return rowGroupKernel(
    target,
    { ...walk.rows, type: "f32" },
    {
      label: "group_norm_forward",
      read: { x: `array<${float}>`, ...vectorBindings(vectors, float) },
      write: { y: `array<${float}>`, ...(keeps && { statistics: "array<vec2f>" }) },
      params: (lanes) => ({
        ...walk.params(lanes),
        epsilon: f32(epsilon),
        ...(keeps && { firstRow: u32(firstRow) }),
      }),
      body: ({ total }) => /* wgsl */ `${walk.start}
  var sums = ${float}();
  ${walk.each("sums += load_x(at);")}
  var sum = ${lanesSum("sums", width)};
  ${total("sum")}
  let mean = sum * params.perValue;
  var squares = ${float}();
  ${walk.each("let d = load_x(at) - mean; squares += d * d;")}
  var spread = ${lanesSum("squares", width)};
  ${total("spread")}
  let scale = inverseSqrt(spread * params.perValue + params.epsilon);
  ${walk.each(`store_y(at, ${normalizedText("(load_x(at) - mean) * scale", "firstChannel + channel", vectors)});`)}
  ${keeps ? "if (lane == 0u) { store_statistics(params.firstRow + row, vec2f(mean, scale)); }" : ""}`,
    },
  );
}

/** The gradient of {@link groupNormForward} by x, as `layerNormInputGradient`. */
export function groupNormInputGradient(
  target: KernelTarget,
  images: GroupedImages,
  { gamma, firstRow }: { readonly gamma: boolean; readonly firstRow: number },
): Kernel {
  const walk = groupWalk(images);
  const { width, float } = walk.lane;
  const z = `load_dy(at)${gamma ? " * load_gamma(firstChannel + channel)" : ""}`;
  return rowGroupKernel(
    target,
    { ...walk.rows, type: "vec2f" },
    {
      label: "group_norm_input_gradient",
      read: {
        x: `array<${float}>`,
        dy: `array<${float}>`,
        statistics: "array<vec2f>",
        ...vectorBindings({ gamma, beta: false }, float),
      },
      write: { dx: `array<${float}>` },
      params: (lanes) => ({ ...walk.params(lanes), firstRow: u32(firstRow) }),
      body: ({ total }) => /* wgsl */ `${walk.start}
  let statistics = load_statistics(params.firstRow + row);
  let mean = statistics.x;
  let scale = statistics.y;
  var sums = ${float}();
  var products = ${float}();
  ${walk.each(`let z = ${z}; sums += z; products += z * (load_x(at) - mean);`)}
  var both = vec2f(${lanesSum("sums", width)}, ${lanesSum("products", width)});
  ${total("both")}
  let ofAll = both.x * params.perValue;
  let ofEach = both.y * scale * scale * params.perValue;
  ${walk.each(`store_dx(at, scale * (${z} - ofAll - (load_x(at) - mean) * ofEach));`)}`,
    },
  );
}

interface GroupWalk {
  readonly lane: Lane;
  readonly rows: { readonly rows: number; readonly length: number };
  readonly params: (lanes: number) => Record<string, Uniform>;
  /** WGSL before the first pass. */
  readonly start: string;
  /** WGSL of one pass over the lane's elements: each is at `at`, of the group's channel `channel`. Steps take no division. */
  readonly each: (text: string) => string;
}

function groupWalk({ batch, pixels, groups, groupSize }: GroupedImages): GroupWalk {
  const lane = laneFor(groupSize);
  const size = groupSize / lane.width;
  return {
    lane,
    rows: { rows: batch * groups, length: pixels * size },
    params: (lanes) => ({
      pixels: u32(pixels),
      groups: u32(groups),
      groupSize: u32(size),
      columns: u32(groups * size),
      stepPixels: u32(Math.floor(lanes / size)),
      stepChannels: u32(lanes % size),
      perValue: f32(1 / (pixels * groupSize)),
    }),
    start: /* wgsl */ `
  let image = row / params.groups;
  let firstChannel = (row - image * params.groups) * params.groupSize;
  let begin = image * params.pixels * params.columns + firstChannel;
  let firstPixel = lane / params.groupSize;`,
    each: (text) => /* wgsl */ `{
    var pixel = firstPixel;
    var channel = lane - firstPixel * params.groupSize;
    while (pixel < params.pixels) {
      let at = begin + pixel * params.columns + channel;
      { ${text} }
      pixel += params.stepPixels;
      channel += params.stepChannels;
      if (channel >= params.groupSize) { channel -= params.groupSize; pixel += 1u; }
    }
  }`,
  };
}
