import { describe, it } from "vitest";
import { activatedSum } from "../../src/kernels/activated-sum.ts";
import { expectClose } from "../helpers/close.ts";
import { FAMILIES, targetFor } from "../helpers/families.ts";
import { runKernels, useGpu } from "../helpers/gpu.ts";
import { embed, embedPlanes, extract, rubbish } from "./conv2d/channel-embedding.ts";
import { activation, norm } from "./conv2d/fused-reference.ts";
import { numbers } from "./conv2d/reference.ts";

const gpu = useGpu();

const [ROWS, CHANNELS] = [36, 12];
const planesRange = { width: CHANNELS + 20, begin: 16 };
const planes = { size: planesRange.width, begin: planesRange.begin };
const layer = norm(CHANNELS, 1).map((plane, i) => plane.map((value) => (i === 1 ? 4 * value : value)));
const x = numbers(ROWS * CHANNELS, 7);
const ofX = { width: CHANNELS + 8, begin: 4 };

describe.each(Object.entries(FAMILIES))("a sum with %s", (_, adapt) => {
  it("of norms, activations and plain tensors, activated", async (context) => {
    const target = targetFor(gpu(), adapt, context);
    const [plain, swished] = [numbers(ROWS * CHANNELS, 8), numbers(ROWS * CHANNELS, 9)];
    const [ofPlain, ofZ] = [
      { width: CHANNELS, begin: 0 },
      { width: CHANNELS + 4, begin: 4 },
    ];
    const kernel = activatedSum(target, ROWS, CHANNELS, {
      terms: [
        { kind: "activated", x: ofX, planes, activation: "relu6" },
        { kind: "activated", x: ofPlain, planes: null, activation: "linear" },
        { kind: "activated", x: ofX, planes: null, activation: "swish" },
      ],
      ...{ activation: "relu", z: ofZ, pixels: ROWS },
    });
    const { z } = await runKernels(
      gpu(),
      [kernel],
      {
        x0: embed(x, CHANNELS, ofX),
        norm0: embedPlanes(layer, planesRange),
        x1: plain,
        x2: embed(swished, CHANNELS, ofX),
        z: rubbish(ROWS * ofZ.width),
      },
      ["z"],
    );
    const normed = activation(x, layer, "relu6");
    const sum = Array.from(plain, (value, i) => value + normed[i] + swished[i] / (1 + Math.exp(-swished[i])));
    expectClose(
      extract(z, CHANNELS, ofZ),
      sum.map((value) => Math.max(value, 0)),
    );
  });

  it("of channels that do not come in fours", async (context) => {
    const target = targetFor(gpu(), adapt, context);
    const channels = 5;
    const own = { width: channels, begin: 0 };
    const odd = norm(channels, 1);
    const [a, b, factor] = [ROWS * channels, ROWS * channels, 2 * channels].map((count, i) =>
      numbers(count, 7 + i),
    );
    const kernel = activatedSum(target, ROWS, channels, {
      terms: [
        { kind: "activated", x: own, planes, activation: "relu" },
        { kind: "scaled", x: own },
      ],
      ...{ activation: "linear", z: own, pixels: ROWS / 2 },
    });
    const buffers = { x0: a, norm0: embedPlanes(odd, planesRange), x1: b, factor1: factor, z: a.length };
    const { z } = await runKernels(gpu(), [kernel], buffers, ["z"]);
    const normed = activation(a, odd, "relu");
    const image = (i: number): number => Math.floor(i / (channels * (ROWS / 2)));
    expectClose(
      z,
      Float64Array.from(b, (value, i) => normed[i] + value * factor[image(i) * channels + (i % channels)]),
    );
  });

  it("of what is scaled and spread by a number of each channel of each image", async (context) => {
    const target = targetFor(gpu(), adapt, context);
    const pixels = ROWS / 3;
    const [factor, spread] = [numbers(3 * CHANNELS, 8), numbers(3 * CHANNELS, 9)];
    const ofZ = { width: CHANNELS + 4, begin: 4 };
    const kernel = activatedSum(target, ROWS, CHANNELS, {
      terms: [
        { kind: "scaled", x: ofX },
        { kind: "spread", scale: 0.5 },
      ],
      ...{ activation: "linear", z: ofZ, pixels },
    });
    const { z } = await runKernels(
      gpu(),
      [kernel],
      { x0: embed(x, CHANNELS, ofX), factor0: factor, factor1: spread, z: rubbish(ROWS * ofZ.width) },
      ["z"],
    );
    const expected = Array.from(x, (value, i) => {
      const own = Math.floor(i / (pixels * CHANNELS)) * CHANNELS + (i % CHANNELS);
      return value * factor[own] + 0.5 * spread[own];
    });
    expectClose(extract(z, CHANNELS, ofZ), expected);
  });
});
