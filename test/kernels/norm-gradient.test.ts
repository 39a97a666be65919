import { describe, expect, it } from "vitest";
import {
  beginSharedNormGradient,
  jointLength,
  mergeNormGradient,
  mergeSharedNormGradient,
  sharedNormInputGradient,
} from "../../src/kernels/norm-gradient.ts";
import { expectClose } from "../helpers/close.ts";
import { FAMILIES, targetFor } from "../helpers/families.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { embed, embedPlanes, extract, rubbish } from "./conv2d/channel-embedding.ts";
import { numbers } from "./conv2d/reference.ts";

const gpu = useGpu();

const positive = (channels: number, seed: number): Float32Array =>
  numbers(channels, seed).map((value) => 1.2 + value);

/** mean, scale = γ·s, beta, inverse = s and gamma of a batch norm. */
function planes(channels: number, seed: number): Float32Array[] {
  const mean = numbers(channels, seed);
  const inverse = positive(channels, seed + 1);
  const gamma = positive(channels, seed + 2);
  return [mean, gamma.map((value, c) => value * inverse[c]), numbers(channels, seed + 3), inverse, gamma];
}

/** `[partials, 2, channels]` and its two sums over the partials. */
function sums(partialCount: number, channels: number, seed: number) {
  const partials = numbers(partialCount * 2 * channels, seed);
  const total = new Float64Array(2 * channels);
  partials.forEach((value, i) => (total[i % total.length] += value));
  return { partials, beta: total.slice(0, channels), gamma: total.slice(channels) };
}

const row = (values: Float32Array, channels: number, width: number, i: number, begin: number): Float32Array =>
  extract(values, channels, { width, begin }).slice(i * channels, (i + 1) * channels);

describe.each(Object.entries(FAMILIES))("gradients of batch norms with %s", (_, adapt) => {
  it.for([1, 5, 200])("of their own statistics, from %i partialCount", async (partialCount, context) => {
    const target = targetFor(gpu(), adapt, context);
    const [channels, rows] = [12, 50];
    const place = { channels, parametersBegin: 4, normBegin: 8, normSize: 24, rows, partialCount };
    const norm = planes(channels, 1);
    const { partials, beta, gamma } = sums(partialCount, channels, 7);
    const results = await runKernels(
      gpu(),
      [mergeNormGradient(target, place)],
      {
        partials,
        norm: embedPlanes(norm, { width: 24, begin: 8 }),
        coefficients: rubbish(4 * 24),
        dgamma: rubbish(20),
        dbeta: rubbish(20),
      },
      ["coefficients", "dgamma", "dbeta"],
    );
    expectClose(extract(results.dbeta, channels, { width: 20, begin: 4 }), beta);
    expectClose(extract(results.dgamma, channels, { width: 20, begin: 4 }), gamma);
    const [mean, scale, , inverse] = norm;
    const expected = [
      mean,
      scale,
      Float64Array.from(scale, (slope, c) => (-slope * inverse[c] * gamma[c]) / rows),
      Float64Array.from(scale, (slope, c) => (-slope * beta[c]) / rows),
    ];
    expected.forEach((plane, i) => {
      expectClose(row(results.coefficients, channels, 24, i, 8), plane, 1e-5, `plane ${i}`);
    });
  });

  it.for([1, 6, 200])(
    "of statistics that they share, from %i partialCount",
    async (partialCount, context) => {
      const target = targetFor(gpu(), adapt, context);
      const [rows, width, epsilon] = [13, 20, 1e-3];
      const x = numbers(rows * width, 31);
      const dy = numbers(rows * width, 32);
      const mean = numbers(width, 33);
      const variance = positive(width, 34);
      const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
      const begun = await runKernels(
        gpu(),
        [beginSharedNormGradient(target, rows, width, epsilon)],
        { dy, mean, variance, total: rubbish(rows * width + 4), joint: rubbish(jointLength(width) + 4) },
        ["total", "joint"],
      );
      expect([...begun.total.slice(rows * width), ...begun.joint.slice(jointLength(width))]).toEqual([
        ...rubbish(8),
      ]);
      expectClose(
        begun.total.slice(0, rows * width),
        Float64Array.from(dy, (value, i) => value / inverse[i % width]),
      );

      // The first norm has all channels but the last four, the second the first eight.
      let joint = begun.joint;
      const all = { beta: new Float64Array(width), gamma: new Float64Array(width) };
      for (const [i, channels] of [16, 8].entries()) {
        const gamma = positive(channels, 40 + i);
        const ofNorm = [
          mean.slice(0, channels),
          gamma.map((value, c) => value * inverse[c]),
          numbers(channels, 50),
          Float32Array.from(inverse.slice(0, channels)),
          gamma,
        ];
        const place = { channels, parametersBegin: 4 * i, normBegin: 4, normSize: 24, rows, partialCount };
        const own = sums(partialCount, channels, 60 + i);
        const parameters = { width: channels + 8, begin: 4 * i };
        const results = await runKernels(
          gpu(),
          [mergeSharedNormGradient(target, { ...place, jointSize: width })],
          {
            partials: own.partials,
            norm: embedPlanes(ofNorm, { width: 24, begin: 4 }),
            joint,
            dgamma: rubbish(parameters.width),
            dbeta: rubbish(parameters.width),
          },
          ["joint", "dgamma", "dbeta"],
        );
        expectClose(extract(results.dbeta, channels, parameters), own.beta);
        expectClose(extract(results.dgamma, channels, parameters), own.gamma);
        joint = results.joint;
        for (let c = 0; c < channels; c++) {
          all.beta[c] += gamma[c] * own.beta[c];
          all.gamma[c] += gamma[c] * own.gamma[c];
        }
      }
      const expected = (i: number): number => {
        const c = i % width;
        const normalized = (x[i] - mean[c]) * inverse[c];
        return inverse[c] * (dy[i] / inverse[c] - all.beta[c] / rows - (normalized * all.gamma[c]) / rows);
      };
      const range = { width: width + 8, begin: 4 };
      for (const channels of [width, 12]) {
        const { dx } = await runKernels(
          gpu(),
          [sharedNormInputGradient(target, rows, channels, range, width)],
          {
            gradient: embed(begun.total.slice(0, rows * width), width, range),
            x: embed(x, width, range),
            joint,
            dx: rubbish(rows * channels + 4),
          },
          ["dx"],
        );
        expect(dx.slice(rows * channels)).toEqual(rubbish(4));
        expectClose(
          dx.slice(0, rows * channels),
          Float64Array.from({ length: rows * channels }, (_, i) =>
            expected(Math.floor(i / channels) * width + (i % channels)),
          ),
        );
      }
    },
  );
});
