import { describe, expect, it } from "vitest";
import { activatedNorm, activatedNormGradient } from "../../src/kernels/activated-norm.ts";
import { channelWalk } from "../../src/kernels/text/channels.ts";
import { expectClose } from "../helpers/close.ts";
import { FAMILIES, targetFor } from "../helpers/families.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { embed, embedPlanes, extract, rubbish } from "./conv2d/channel-embedding.ts";
import { activation, activationGradient, norm, sums } from "./conv2d/fused-reference.ts";
import { numbers } from "./conv2d/reference.ts";

const gpu = useGpu();

const [ROWS, CHANNELS] = [37, 12];
const planesRange = { width: CHANNELS + 20, begin: 16 };
const planes = { size: planesRange.width, begin: planesRange.begin };
// With so large a slope a ReLU6 bends twice.
const layer = norm(CHANNELS, 1).map((plane, i) => plane.map((value) => (i === 1 ? 4 * value : value)));
const x = numbers(ROWS * CHANNELS, 7);
const ofX = { width: CHANNELS + 8, begin: 4 };

describe.each(Object.entries(FAMILIES))("a batch norm of planes with %s", (_, adapt) => {
  it.for(["linear", "relu", "relu6", "swish"] as const)("stores what it makes: %s", async (kind, context) => {
    const target = targetFor(gpu(), adapt, context);
    const ofZ = { width: CHANNELS + 4, begin: 0 };
    const kernel = activatedNorm(target, ROWS, CHANNELS, { activation: kind, x: ofX, planes, z: ofZ });
    const { z } = await runKernels(
      gpu(),
      [kernel],
      {
        x: embed(x, CHANNELS, ofX),
        norm: embedPlanes(layer, planesRange),
        z: rubbish(ROWS * ofZ.width),
      },
      ["z"],
    );
    expectClose(extract(z, CHANNELS, ofZ), activation(x, layer, kind));
  });

  it("takes channels that do not come in fours, and leaves partials that are filled up", async (context) => {
    const target = targetFor(gpu(), adapt, context);
    const [channels, filled] = [7, 8];
    const own = { width: channels, begin: 0 };
    const odd = norm(channels, 1);
    const [x, dz] = [numbers(ROWS * channels, 7), numbers(ROWS * channels, 8)];
    const operands = { x, norm: embedPlanes(odd, planesRange) };
    const forward = activatedNorm(target, ROWS, channels, { activation: "swish", x: own, planes, z: own });
    const { z } = await runKernels(gpu(), [forward], { ...operands, z: x.length }, ["z"]);
    expectClose(z, activation(x, odd, "swish"));
    const walk = channelWalk(target, ROWS, channels, "reduce");
    const backward = activatedNormGradient(walk, 1, {
      ...{ activation: "relu", x: own, planes, gradient: own, stored: "plain", dz: own },
    });
    const buffers = { ...operands, dz, gradient: x.length };
    const results = await runKernels(
      gpu(),
      [backward],
      { ...buffers, partials: rubbish((1 + walk.partialCount) * 2 * filled) },
      ["gradient", "partials"],
    );
    const da = activationGradient(x, dz, odd, "relu");
    expectClose(results.gradient, da);
    const total = sums(results.partials.slice(2 * filled), 2 * filled);
    const [mean, , , inverse] = odd;
    const normalized = da.map((value, i) => value * (x[i] - mean[i % channels]) * inverse[i % channels]);
    expectClose(total.slice(0, channels), sums(da, channels), 1e-5, "Σ da");
    expectClose(total.slice(filled, filled + channels), sums(normalized, channels), 1e-5, "Σ da·x̂");
  });

  it("leaves sums alone where the gradient stays as it is", async (context) => {
    const target = targetFor(gpu(), adapt, context);
    const dz = numbers(ROWS * CHANNELS, 8);
    const walk = channelWalk(target, ROWS, CHANNELS, "reduce");
    const kernel = activatedNormGradient(walk, 0, {
      ...{ activation: "linear", x: ofX, planes, gradient: null, stored: "plain" },
      dz: { width: CHANNELS, begin: 0 },
    });
    const { partials } = await runKernels(
      gpu(),
      [kernel],
      {
        dz,
        x: embed(x, CHANNELS, ofX),
        norm: embedPlanes(layer, planesRange),
        partials: rubbish(walk.partialCount * 2 * CHANNELS),
      },
      ["partials"],
    );
    const [mean, , , inverse] = layer;
    const total = sums(partials, 2 * CHANNELS);
    const normalized = Array.from(
      dz,
      (value, i) => value * (x[i] - mean[i % CHANNELS]) * inverse[i % CHANNELS],
    );
    expectClose(total, [...sums(dz, CHANNELS), ...sums(normalized, CHANNELS)]);
  });

  it.for([
    ["relu", "plain", false],
    ["swish", "plain", true],
    ["relu6", "scaled", false],
    ["linear", "scaled", true],
    ["swish", "accumulated", false],
  ] as const)(
    "passes a gradient back through %s, %s, in place: %s",
    async ([kind, stored, inPlace], context) => {
      const target = targetFor(gpu(), adapt, context);
      const ofGradient = { width: CHANNELS + 12, begin: 8 };
      const ofDz = { width: CHANNELS + 4, begin: 4 };
      const [dz, before] = [numbers(ROWS * CHANNELS, 8), numbers(ROWS * CHANNELS, 9)];
      const walk = channelWalk(target, ROWS, CHANNELS, "reduce");
      const firstPartial = 2;
      const kernel = activatedNormGradient(walk, firstPartial, {
        ...{ activation: kind, x: ofX, planes, gradient: ofGradient, stored },
        dz: inPlace ? null : ofDz,
      });
      const results = await runKernels(
        gpu(),
        [kernel],
        {
          ...(!inPlace && { dz: embed(dz, CHANNELS, ofDz) }),
          x: embed(x, CHANNELS, ofX),
          norm: embedPlanes(layer, planesRange),
          gradient: embed(inPlace ? dz : before, CHANNELS, ofGradient),
          partials: rubbish((firstPartial + walk.partialCount + 1) * 2 * CHANNELS),
        },
        ["gradient", "partials"],
      );
      const [mean, , , inverse, gamma] = layer;
      const da = activationGradient(x, dz, layer, kind);
      expectClose(
        extract(results.gradient, CHANNELS, ofGradient),
        da.map((value, i) => {
          if (stored === "plain") return value;
          return gamma[i % CHANNELS] * value + (stored === "accumulated" ? before[i] : 0);
        }),
      );
      const partial = (i: number): Float32Array =>
        results.partials.slice(2 * CHANNELS * i, 2 * CHANNELS * (i + 1));
      const total = new Float64Array(2 * CHANNELS);
      for (let i = 0; i <= firstPartial + walk.partialCount; i++) {
        if (i < firstPartial || i === firstPartial + walk.partialCount)
          expect(partial(i)).toEqual(rubbish(2 * CHANNELS));
        else partial(i).forEach((value, j) => (total[j] += value));
      }
      expectClose(total.slice(0, CHANNELS), sums(da, CHANNELS), 1e-5, "Σ da");
      const normalized = da.map((value, i) => value * (x[i] - mean[i % CHANNELS]) * inverse[i % CHANNELS]);
      expectClose(total.slice(CHANNELS), sums(normalized, CHANNELS), 1e-5, "Σ da·x̂");
    },
  );
});
