import { describe, expect, it } from "vitest";
import {
  jointLength,
  mergeNormGradient,
  mergeSharedNormGradient,
  normInputGradient,
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
      const dz = numbers(rows * width, 32);
      const mean = numbers(width, 33);
      const variance = positive(width, 34);
      const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));

      // The first norm has all channels, the second the first eight.
      let joint = rubbish(jointLength(width) + 4);
      const all = { beta: new Float64Array(width), gamma: new Float64Array(width) };
      for (const [i, channels] of [width, 8].entries()) {
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
          [mergeSharedNormGradient(target, { ...place, jointSize: width, first: i === 0 })],
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
        return inverse[c] * (dz[i] - all.beta[c] / rows - (normalized * all.gamma[c]) / rows);
      };
      expect(joint.slice(jointLength(width))).toEqual(rubbish(4));
      const [ofX, ofGradient] = [
        { width: width + 8, begin: 4 },
        { width: width + 4, begin: 0 },
      ];
      for (const [begin, channels] of [
        [0, width],
        [8, 12],
      ]) {
        const { dx } = await runKernels(
          gpu(),
          [
            normInputGradient(target, rows, channels, {
              gradient: { ...ofGradient, begin: ofGradient.begin + begin },
              x: { ...ofX, begin: ofX.begin + begin },
              planes: { size: width, begin },
            }),
          ],
          {
            gradient: embed(dz, width, ofGradient),
            x: embed(x, width, ofX),
            coefficients: joint,
            dx: rubbish(rows * channels + 4),
          },
          ["dx"],
        );
        expect(dx.slice(rows * channels)).toEqual(rubbish(4));
        expectClose(
          dx.slice(0, rows * channels),
          Float64Array.from({ length: rows * channels }, (_, i) =>
            expected(Math.floor(i / channels) * width + begin + (i % channels)),
          ),
        );
      }
    },
  );

  it("of channels that do not come in fours, with zeros and nothing else behind them", async (context) => {
    const target = targetFor(gpu(), adapt, context);
    const [channels, filled, rows, partialCount] = [7, 8, 13, 5];
    const norm = planes(channels, 1);
    const { partials, beta, gamma } = sums(partialCount, channels, 7);
    const place = {
      ...{ channels, alignment: 64, parametersBegin: 64, normBegin: 64, normSize: 192 },
      ...{ rows, partialCount },
    };
    const results = await runKernels(
      gpu(),
      [mergeNormGradient(target, place)],
      {
        partials: embed(partials, channels, { width: filled, begin: 0 }),
        norm: embedPlanes(norm, { width: 192, begin: 64 }),
        coefficients: rubbish(4 * 192),
        ...{ dgamma: rubbish(192), dbeta: rubbish(192) },
      },
      ["coefficients", "dgamma", "dbeta"],
    );
    const behind = Array<number>(64 - channels).fill(0);
    expectClose(extract(results.dbeta, 64, { width: 192, begin: 64 }), [...beta, ...behind]);
    expectClose(extract(results.dgamma, 64, { width: 192, begin: 64 }), [...gamma, ...behind]);

    const own = { width: channels, begin: 0 };
    const [dz, x] = [numbers(rows * channels, 8), numbers(rows * channels, 9)];
    const kernel = normInputGradient(target, rows, channels, {
      ...{ gradient: own, x: own, planes: { size: 192, begin: 64 } },
    });
    const { coefficients } = results;
    const { dx } = await runKernels(gpu(), [kernel], { gradient: dz, x, coefficients, dx: x.length }, ["dx"]);
    const [mean, scale, , inverse] = norm;
    expectClose(
      dx,
      Float64Array.from(dz, (value, i) => {
        const c = i % channels;
        const normalized = (x[i] - mean[c]) * inverse[c];
        return scale[c] * (value - beta[c] / rows - (normalized * gamma[c]) / rows);
      }),
    );
  });

  it("fill the gradients of a part of a stack up with zeros to where the next may begin", async (context) => {
    const target = targetFor(gpu(), adapt, context);
    const channels = 12;
    const norm = embedPlanes(planes(channels, 1), { width: 192, begin: 64 });
    const { partials, beta, gamma } = sums(5, channels, 7);
    const place = {
      ...{ channels, alignment: 64, parametersBegin: 64, normBegin: 64, normSize: 192 },
      ...{ rows: 50, partialCount: 5 },
    };
    for (const [kernel, joint] of [
      [mergeNormGradient(target, place), false],
      [mergeSharedNormGradient(target, { ...place, jointSize: channels, first: true }), true],
    ] as const) {
      const results = await runKernels(
        gpu(),
        [kernel],
        {
          ...{ partials, norm, dgamma: rubbish(192), dbeta: rubbish(192) },
          ...(joint ? { joint: rubbish(jointLength(channels)) } : { coefficients: rubbish(4 * 192) }),
        },
        ["dgamma", "dbeta"],
      );
      for (const [name, sum] of [
        ["dgamma", gamma],
        ["dbeta", beta],
      ] as const) {
        expectClose(extract(results[name], 64, { width: 192, begin: 64 }), [...sum, ...new Float32Array(52)]);
      }
    }
  });
});
