/** @file Batch norms brought into the planes of norm-planes.ts, from given statistics or from those of a product's tiles. */
import { f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget, Uniform } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { NORM_PLANES, normChannelsParams } from "./text/norm-planes.ts";
import type { NormChannels, NormPlane } from "./text/norm-planes.ts";
import { perItemKernel } from "./text/per-item.ts";
import { partialsKernel } from "./text/partials.ts";
import type { PartialsText } from "./text/partials.ts";

export interface NormPlace extends NormChannels {
  /** The first channel in `mean` and `variance`. */
  readonly statisticsBegin: number;
  readonly epsilon: number;
}

const VECTORS = "array<vec4f>";

const quadsOf = ({ channels }: NormPlace): number => Math.ceil(channels / 4);

const placeParams = (place: NormPlace): Record<string, Uniform> => ({
  ...normChannelsParams(place),
  statisticsBegin: u32(place.statisticsBegin / 4),
  epsilon: f32(place.epsilon),
});

const PLANES: Record<NormPlane, string> = {
  mean: "centre",
  scale: "weight * inverse",
  beta: "load_beta(params.parametersBegin + quad)",
  inverse: "inverse",
  gamma: "weight",
  variance: "deviation2",
};

/** WGSL that writes the planes of quad `quad` from `centre` and `deviation2`, mean and variance. */
const writePlanes = /* wgsl */ `let weight = load_gamma(params.parametersBegin + quad);
    let inverse = 1.0 / sqrt(deviation2 + vec4f(params.epsilon));
    let at = params.normBegin + quad;
    ${NORM_PLANES.map((name, plane) => `store_norm(${plane}u * params.normSize + at, ${PLANES[name]});`).join("\n    ")}`;

/**
 * Planes of `norm` from `mean`, `variance`, `gamma` and `beta`. With `keep` also copies the statistics to `keptMean` and
 * `keptVariance`, from their beginning on.
 */
export function foldNorm(
  target: KernelTarget,
  place: NormPlace,
  { keep = false }: { keep?: boolean } = {},
): Kernel {
  return perItemKernel(target, quadsOf(place), {
    label: keep ? "fold_norm_keep" : "fold_norm",
    read: { mean: VECTORS, variance: VECTORS, gamma: VECTORS, beta: VECTORS },
    write: { norm: VECTORS, ...(keep && { keptMean: VECTORS, keptVariance: VECTORS }) },
    params: placeParams(place),
    body: /* wgsl */ `
    let quad = index;
    let centre = load_mean(params.statisticsBegin + quad);
    let deviation2 = load_variance(params.statisticsBegin + quad);
    ${writePlanes}
    ${keep ? "store_keptMean(quad, centre); store_keptVariance(quad, deviation2);" : ""}`,
  });
}

const storeStatistics = /* wgsl */ `store_mean(params.statisticsBegin + quad, centre);
      store_variance(params.statisticsBegin + quad, deviation2);`;

/** WGSL that merges the moments of quad `own` of the `params.fresh` quads that the tiles have left, and stores them. */
const mergeTiles = ({ eachPartial, total }: PartialsText, store = storeStatistics): string => /* wgsl */ `
    var sum = vec4f();
    var rows = vec4f();
    ${eachPartial(
      "params.partialCount",
      `sum += load_counts(partialIndex) * load_partials(partialIndex * 2u * params.fresh + own);
    rows += vec4f(load_counts(partialIndex));`,
    )}
    ${total("sum")}
    ${total("rows")}
    centre = sum / rows;
    var squares = vec4f();
    ${eachPartial(
      "params.partialCount",
      `let at = partialIndex * 2u * params.fresh + own;
    let distance = load_partials(at) - centre;
    squares += load_counts(partialIndex) * (load_partials(at + params.fresh) + distance * distance);`,
    )}
    ${total("squares")}
    deviation2 = squares / rows;
    if (writer) {
      ${store}
    }`;

/**
 * Merges the moments that the tiles of a product have left of its `fresh` channels: `partials` `[partials, 2, fresh]`, filled up
 * to fours, mean and biased variance, and `counts` `[partials]` (Chan, Golub & LeVeque 1983), to channels `begin` and following
 * of `mean` and `variance`, to these alone.
 */
export function mergeTileMoments(
  target: KernelTarget,
  { begin, fresh, partialCount }: { begin: number; fresh: number; partialCount: number },
): Kernel {
  const quads = Math.ceil(fresh / 4);
  const { width, float } = laneFor(fresh, begin);
  const array = `array<${float}>`;
  const oneByOne = [0, 1, 2, 3]
    .map(
      (lane) => `if (4u * quad + ${lane}u < params.channels) {
        store_mean(params.statisticsBegin + 4u * quad + ${lane}u, centre[${lane}]);
        store_variance(params.statisticsBegin + 4u * quad + ${lane}u, deviation2[${lane}]);
      }`,
    )
    .join("\n      ");
  return partialsKernel(target, quads, {
    label: "merge_tile_moments",
    read: { partials: VECTORS, counts: "array<f32>" },
    write: { mean: array, variance: array },
    params: {
      statisticsBegin: u32(begin / width),
      partialCount: u32(partialCount),
      fresh: u32(quads),
      ...(width === 1 && { channels: u32(fresh) }),
    },
    body: (text) => /* wgsl */ `let own = quad;
  var centre: vec4f;
  var deviation2: vec4f;
  ${mergeTiles(text, width === 1 ? oneByOne : storeStatistics)}`,
  });
}

/**
 * {@link foldNorm} of a batch norm whose last `fresh` channels have just been made: {@link mergeTileMoments} of them first;
 * those of the channels before are read from `mean` and `variance`. Channels that do not come in fours are filled up in all
 * buffers.
 */
export function mergeMomentsIntoNorm(
  target: KernelTarget,
  place: NormPlace,
  { fresh, partialCount }: { fresh: number; partialCount: number },
): Kernel {
  const quads = Math.ceil(fresh / 4);
  return partialsKernel(target, quadsOf(place), {
    label: "merge_moments_into_norm",
    read: { partials: VECTORS, counts: "array<f32>", gamma: VECTORS, beta: VECTORS },
    write: { mean: VECTORS, variance: VECTORS, norm: VECTORS },
    params: {
      ...placeParams(place),
      partialCount: u32(partialCount),
      fresh: u32(quads),
      known: u32(quadsOf(place) - quads),
    },
    body: (text) => /* wgsl */ `
  var centre: vec4f;
  var deviation2: vec4f;
  if (quad >= params.known) {
    let own = quad - params.known;
    ${mergeTiles(text)}
  } else {
    centre = load_mean(params.statisticsBegin + quad);
    deviation2 = load_variance(params.statisticsBegin + quad);
  }
  if (writer) {
    ${writePlanes}
  }`,
  });
}
