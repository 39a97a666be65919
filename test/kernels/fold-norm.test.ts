import { describe, expect, it } from "vitest";
import { foldNorm, mergeMomentsIntoNorm, mergeTileMoments } from "../../src/kernels/fold-norm.ts";
import type { NormPlace } from "../../src/kernels/fold-norm.ts";
import { expectClose } from "../helpers/close.ts";
import { FAMILIES, targetFor } from "../helpers/families.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { embed, extract, rubbish } from "./conv2d/channel-embedding.ts";
import { numbers } from "./conv2d/reference.ts";

const gpu = useGpu();
const EPSILON = 1e-3;

/** The planes of norm-planes.ts, in double precision. */
function planes(
  mean: ArrayLike<number>,
  variance: ArrayLike<number>,
  gamma: Float32Array,
  beta: Float32Array,
): number[][] {
  const inverse = Array.from(variance, (value) => 1 / Math.sqrt(value + EPSILON));
  return [[...Array.from(mean)], inverse.map((s, c) => s * gamma[c]), [...beta], inverse, [...gamma]];
}

/** Fails unless the planes in `norm` are `expected` and nothing beside them was written. */
function checkPlanes(norm: Float32Array, expected: number[][], place: NormPlace): void {
  const range = { width: place.normSize, begin: place.normBegin };
  const actual = extract(norm, place.channels, range);
  expected.forEach((plane, i) =>
    expectClose(actual.slice(i * place.channels, (i + 1) * place.channels), plane, 1e-5, `plane ${i}`),
  );
}

/** One line of `[count]` numbers as the channels from `begin` on of a buffer of `width`. */
const line = (values: Float32Array, begin: number, width: number): Float32Array =>
  embed(values, values.length, { width, begin });

const norm = (channels: number) => ({
  mean: numbers(channels, 1),
  variance: numbers(channels, 2).map((value) => 0.1 + value * value),
  gamma: numbers(channels, 3).map((value) => 1 + value / 2),
  beta: numbers(channels, 4),
});

/** Rows that come in `partials` tiles of one to sixteen rows: their moments a tile, and those of all of them. */
function tiles(partialCount: number, channels: number, centre: number, deviation: number) {
  const counts = Float32Array.from(
    { length: partialCount },
    (_, partialIndex) => 1 + ((partialIndex * 7) % 16),
  );
  const rows = counts.reduce((a, b) => a + b);
  const x = numbers(rows * channels, 9).map((value, i) => centre * (1 + (i % channels)) + deviation * value);
  const moments = (first: number, count: number, c: number): [mean: number, variance: number] => {
    const column = Array.from({ length: count }, (_, row) => x[(first + row) * channels + c]);
    const mean = column.reduce((a, b) => a + b) / count;
    return [mean, column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count];
  };
  const partials = new Float32Array(partialCount * 2 * channels);
  let first = 0;
  counts.forEach((count, partialIndex) => {
    for (let c = 0; c < channels; c++) {
      const both = moments(first, count, c);
      both.forEach((value, plane) => (partials[(2 * partialIndex + plane) * channels + c] = value));
    }
    first += count;
  });
  const all = Array.from({ length: channels }, (_, c) => moments(0, rows, c));
  return { partials, counts, mean: all.map(([mean]) => mean), variance: all.map(([, variance]) => variance) };
}

describe.each(Object.entries(FAMILIES))("batch norms as planes, with %s", (_, adapt) => {
  it("are folded from given statistics, which may be kept", async (context) => {
    const target = targetFor(gpu(), adapt, context);
    const place = {
      channels: 12,
      statisticsBegin: 4,
      parametersBegin: 8,
      normBegin: 4,
      normSize: 24,
      epsilon: EPSILON,
    };
    const { mean, variance, gamma, beta } = norm(12);
    const buffers = {
      mean: line(mean, 4, 20),
      variance: line(variance, 4, 20),
      gamma: line(gamma, 8, 24),
      beta: line(beta, 8, 24),
      norm: rubbish(5 * 24),
      keptMean: rubbish(16),
      keptVariance: rubbish(16),
    };
    const folded = await runKernels(gpu(), [foldNorm(target, place)], buffers, ["norm"]);
    checkPlanes(folded.norm, planes(mean, variance, gamma, beta), place);
    const kept = await runKernels(gpu(), [foldNorm(target, place, { keep: true })], buffers, [
      "norm",
      "keptMean",
      "keptVariance",
    ]);
    expect(kept.norm).toEqual(folded.norm);
    expect(kept.keptMean).toEqual(line(mean, 0, 16));
    expect(kept.keptVariance).toEqual(line(variance, 0, 16));
  });

  it("merge the moments of channels that do not come in fours, all buffers filled up", async (context) => {
    const target = targetFor(gpu(), adapt, context);
    const [channels, filled, partialCount] = [7, 8, 9];
    const { partials, counts, mean, variance } = tiles(partialCount, channels, 0.3, 1);
    const { gamma, beta } = norm(channels);
    const place = {
      ...{ channels, statisticsBegin: 0, parametersBegin: 8, normBegin: 8, normSize: 24, epsilon: EPSILON },
    };
    const kernel = mergeMomentsIntoNorm(target, place, { fresh: channels, partialCount });
    const results = await runKernels(
      gpu(),
      [kernel],
      {
        ...{ partials: embed(partials, channels, { width: filled, begin: 0 }), counts },
        ...{ gamma: line(gamma, 8, 24), beta: line(beta, 8, 24) },
        ...{ mean: rubbish(filled), variance: rubbish(filled), norm: rubbish(6 * 24) },
      },
      ["mean", "variance", "norm"],
    );
    expectClose(results.mean.slice(0, channels), mean);
    expectClose(results.variance.slice(0, channels), variance);
    const merged = await runKernels(
      gpu(),
      [mergeTileMoments(target, { begin: 3, fresh: channels, partialCount })],
      {
        ...{ partials: embed(partials, channels, { width: filled, begin: 0 }), counts },
        ...{ mean: rubbish(12), variance: rubbish(12) },
      },
      ["mean", "variance"],
    );
    // Vectors of so many channels are nobody else's beyond these.
    expectClose(extract(merged.mean, channels, { width: 12, begin: 3 }), mean);
    expectClose(extract(merged.variance, channels, { width: 12, begin: 3 }), variance);
    const all = planes(mean, variance, gamma, beta);
    all.forEach((plane, i) => {
      const begin = i * 24 + 8;
      expectClose(results.norm.slice(begin, begin + channels), plane, 1e-5, `plane ${i}`);
    });
  });

  it.for([
    [1, 0.3, 1],
    [3, 0.3, 1],
    [40, 0.3, 1],
    [40, 1000, 0.25],
    [300, 100, 0.1],
  ] as const)(
    "merge %i partialCount of mean %d and deviation %d",
    async ([partialCount, centre, deviation], context) => {
      const target = targetFor(gpu(), adapt, context);
      const fresh = 8;
      const known = 12;
      const channels = known + fresh;
      const { partials, counts, mean, variance } = tiles(partialCount, fresh, centre, deviation);
      const begin = 4 + known;
      const size = { width: begin + fresh + 4, begin };
      const buffers = { partials, counts, mean: rubbish(size.width), variance: rubbish(size.width) };
      const merge = mergeTileMoments(target, { begin, fresh, partialCount });
      const merged = await runKernels(gpu(), [merge], buffers, ["mean", "variance"]);
      expectClose(extract(merged.mean, fresh, size), mean, 1e-6, "the mean");
      // What the digits of a float leave of the deviation from a mean that is so much larger.
      const digits = 1e-5 + (fresh * centre * 2 ** -24) / deviation;
      expectClose(extract(merged.variance, fresh, size), variance, digits, "the variance");

      const before = norm(channels);
      const place = {
        channels,
        statisticsBegin: 4,
        parametersBegin: 8,
        normBegin: 12,
        normSize: channels + 16,
        epsilon: EPSILON,
      };
      const old = {
        mean: line(before.mean.slice(0, known), 4, size.width),
        variance: line(before.variance.slice(0, known), 4, size.width),
      };
      const kernel = mergeMomentsIntoNorm(target, place, { fresh, partialCount });
      const into = await runKernels(
        gpu(),
        [kernel],
        {
          ...old,
          partials,
          counts,
          gamma: line(before.gamma, 8, channels + 8),
          beta: line(before.beta, 8, channels + 8),
          norm: rubbish(5 * place.normSize),
        },
        ["mean", "variance", "norm"],
      );
      for (const name of ["mean", "variance"] as const) {
        const expected = old[name].slice();
        expected.set(extract(merged[name], fresh, size), begin);
        expect(into[name]).toEqual(expected);
      }
      const statistics = (name: "mean" | "variance"): Float32Array => into[name].slice(4, 4 + channels);
      checkPlanes(
        into.norm,
        planes(statistics("mean"), statistics("variance"), before.gamma, before.beta),
        place,
      );
    },
  );
});
