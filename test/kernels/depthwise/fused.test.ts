import { describe, expect, it } from "vitest";
import type { Conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import { activationLoad, normGradientLoad } from "../../../src/kernels/conv2d/load.ts";
import { activationGradientEpilogue } from "../../../src/kernels/conv2d/epilogue.ts";
import { normGradientStore, momentsStore, plainStore } from "../../../src/kernels/conv2d/store.ts";
import { depthwiseBackwardData } from "../../../src/kernels/depthwise/backward-data.ts";
import { depthwiseBackwardWeights } from "../../../src/kernels/depthwise/backward-weights.ts";
import { depthwiseForward } from "../../../src/kernels/depthwise/forward.ts";
import type { KernelFamily } from "../../../src/kernels/tiling.ts";
import { expectClose } from "../../helpers/close.ts";
import { targetFor } from "../../helpers/families.ts";
import { runKernels, useGpu } from "../../helpers/gpu.ts";
import { embed, embedPlanes, extract, rubbish } from "../conv2d/channel-embedding.ts";
import {
  activation,
  activationGradient,
  coefficients,
  norm,
  normGradient,
  sums,
} from "../conv2d/fused-reference.ts";
import { checkMoments } from "../conv2d/moments.ts";
import { numbers } from "../conv2d/reference.ts";
import {
  depthwiseGeometry,
  depthwiseSizes,
  referenceByData,
  referenceByWeights,
  referenceForward,
} from "./reference.ts";

const gpu = useGpu();

/** Channels of a tensor that the convolution's `channels` lie among. */
const among = (channels: number, begin: number) => ({ width: channels + begin + 4, begin });

/** A norm before a product with so large a slope that a ReLU6 bends twice. */
const steepNorm = (channels: number, seed: number): Float32Array[] =>
  norm(channels, seed).map((plane, i) => plane.map((value) => (i === 1 ? 4 * value : value)));

const CASES: readonly (readonly [string, Conv2dGeometry, "relu" | "relu6" | "swish" | "linear"])[] = [
  ["3×3, odd extents", depthwiseGeometry([2, 9, 11, 8], 3), "relu6"],
  ["3×3, stride 2", depthwiseGeometry([2, 10, 9, 12], 3, 2), "relu"],
  ["5×5, stride 2", depthwiseGeometry([1, 7, 9, 4], 5, 2), "swish"],
];

describe.each<KernelFamily>(["register", "workgroup"])(
  "a depthwise convolution as written for %s",
  (family) => {
    const target = (context: Parameters<typeof targetFor>[2]) =>
      targetFor(gpu(), (own) => ({ ...own, family }), context);

    it.for(CASES)(
      "normalizes what it loads, stores into its channels and leaves moments: %s",
      async ([, g, kind], context) => {
        const [channels, size] = [g.inChannels, depthwiseSizes(g)];
        const [x, w] = [numbers(size.x, 1), numbers(size.w, 2)];
        const [ofX, ofNorm, ofY] = [among(channels, 4), among(channels, 16), among(channels, 8)];
        const layer = steepNorm(channels, 3);
        const firstPartial = 2;
        const { kernel, partialCount } = depthwiseForward(target(context), g, {
          load: (width) =>
            activationLoad("x", width, ofX, { size: ofNorm.width, begin: ofNorm.begin, activation: kind }),
          store: plainStore("y", channels, ofY),
          moments: { firstPartial },
        });
        const results = await runKernels(
          gpu(),
          [kernel],
          {
            x: embed(x, channels, ofX),
            norm: embedPlanes(layer, ofNorm),
            w,
            y: rubbish((size.y / channels) * ofY.width),
            partials: rubbish((firstPartial + partialCount + 1) * 2 * channels),
            counts: rubbish(firstPartial + partialCount + 1),
          },
          ["y", "partials", "counts"],
        );
        const y = extract(results.y, channels, ofY);
        expectClose(y, referenceForward(g, activation(x, layer, kind), w));
        checkMoments(y, channels, results, [firstPartial, partialCount]);
      },
    );

    it.for(
      CASES.flatMap((each, i) => [[...each, (["accumulated", "scaled", "plain"] as const)[i]] as const]),
    )("goes back through two norms and an activation: %s", async ([, g, kind, stored], context) => {
      const [channels, size] = [g.inChannels, depthwiseSizes(g)];
      const [dz, y, w] = [numbers(size.y, 1), numbers(size.y, 2), numbers(size.w, 3)];
      const [x, before] = [numbers(size.x, 4), numbers(size.x, 5)];
      const above = coefficients(channels, 6);
      const below = steepNorm(channels, 20);
      const [ofGradient, ofY, ofCoefficients] = [among(channels, 4), among(channels, 8), among(channels, 12)];
      const [ofX, ofNorm, ofResult] = [among(channels, 8), among(channels, 4), among(channels, 12)];
      const firstPartial = 2;
      const { kernel, partialCount } = depthwiseBackwardData(target(context), g, {
        load: (width) =>
          normGradientLoad(
            width,
            { name: "dy", range: ofGradient },
            { name: "y", range: ofY },
            {
              size: ofCoefficients.width,
              begin: ofCoefficients.begin,
            },
          ),
        store: normGradientStore("dx", ofResult, {
          before: ofX,
          activation: kind,
          planes: { size: ofNorm.width, begin: ofNorm.begin },
          stored,
          firstPartial,
        }),
      });
      const results = await runKernels(
        gpu(),
        [kernel],
        {
          dy: embed(dz, channels, ofGradient),
          y: embed(y, channels, ofY),
          coefficients: embedPlanes(above, ofCoefficients),
          w,
          before: embed(x, channels, ofX),
          norm: embedPlanes(below, ofNorm),
          dx: embed(before, channels, ofResult),
          partials: rubbish((firstPartial + partialCount + 1) * 2 * channels),
        },
        ["dx", "partials"],
      );
      const passed = activationGradient(x, referenceByData(g, normGradient(dz, y, above), w), below, kind);
      const [mean, , , inverse, gamma] = below;
      expectClose(
        extract(results.dx, channels, ofResult),
        passed.map((value, i) => {
          if (stored === "plain") return value;
          return gamma[i % channels] * value + (stored === "accumulated" ? before[i] : 0);
        }),
      );
      const perPartial = 2 * channels;
      const [begin, end] = [firstPartial * perPartial, (firstPartial + partialCount) * perPartial];
      expect(results.partials.slice(0, begin)).toEqual(rubbish(begin));
      expect(results.partials.slice(end)).toEqual(rubbish(perPartial));
      const total = sums(results.partials.slice(begin, end), perPartial);
      expectClose(total.slice(0, channels), sums(passed, channels), 1e-5, "Σ da");
      const normalized = passed.map(
        (value, i) => value * (x[i] - mean[i % channels]) * inverse[i % channels],
      );
      expectClose(total.slice(channels), sums(normalized, channels), 1e-5, "Σ da·x̂");
    });

    it.for(CASES)(
      "passes back through an activation and is added to what lies elsewhere: %s",
      async ([, g, kind], context) => {
        const [channels, size] = [g.inChannels, depthwiseSizes(g)];
        const [dy, w] = [numbers(size.y, 1), numbers(size.w, 2)];
        const [before, addend] = [numbers(size.x, 3), numbers(size.x, 4)];
        const [ofBefore, ofAddend, ofResult] = [among(channels, 8), among(channels, 4), among(channels, 12)];
        const { kernel } = depthwiseBackwardData(target(context), g, {
          store: activationGradientEpilogue({
            ...{ range: ofResult, before: ofBefore },
            ...{ activation: kind, addends: [ofAddend] },
          }).store("dx", channels),
        });
        const { dx } = await runKernels(
          gpu(),
          [kernel],
          {
            ...{ dy, w, dx: rubbish((size.x / channels) * ofResult.width) },
            before: embed(before, channels, ofBefore),
            addend0: embed(addend, channels, ofAddend),
          },
          ["dx"],
        );
        const plane = (value: number): Float32Array => new Float32Array(channels).fill(value);
        const as = [plane(0), plane(1), plane(0)];
        const passed = activationGradient(before, referenceByData(g, dy, w), as, kind);
        expectClose(
          extract(dx, channels, ofResult),
          passed.map((value, i) => value + addend[i]),
        );
      },
    );

    it.for(CASES)(
      "normalizes x and goes back through a norm of dy, by weights: %s",
      async ([, g, kind], context) => {
        const [channels, size] = [g.inChannels, depthwiseSizes(g)];
        const [x, dz, y] = [numbers(size.x, 1), numbers(size.y, 2), numbers(size.y, 3)];
        const [ofX, ofNorm] = [among(channels, 4), among(channels, 16)];
        const [ofGradient, ofY, ofCoefficients] = [
          among(channels, 4),
          among(channels, 8),
          among(channels, 12),
        ];
        const [layer, above] = [steepNorm(channels, 4), coefficients(channels, 9)];
        const [partialCount, firstPartial] = [2, 1];
        const kernel = depthwiseBackwardWeights(target(context), g, {
          partialCount,
          firstPartial,
          left: (width) =>
            activationLoad("x", width, ofX, { size: ofNorm.width, begin: ofNorm.begin, activation: kind }),
          right: (width) =>
            normGradientLoad(
              width,
              { name: "dy", range: ofGradient },
              { name: "y", range: ofY },
              {
                size: ofCoefficients.width,
                begin: ofCoefficients.begin,
              },
            ),
        });
        const { dw } = await runKernels(
          gpu(),
          [kernel],
          {
            x: embed(x, channels, ofX),
            norm: embedPlanes(layer, ofNorm),
            dy: embed(dz, channels, ofGradient),
            y: embed(y, channels, ofY),
            coefficients: embedPlanes(above, ofCoefficients),
            dw: rubbish((firstPartial + partialCount + 1) * size.w),
          },
          ["dw"],
        );
        const end = (firstPartial + partialCount) * size.w;
        expect(dw.slice(0, firstPartial * size.w)).toEqual(rubbish(firstPartial * size.w));
        expect(dw.slice(end)).toEqual(rubbish(size.w));
        expectClose(
          sums(dw.slice(firstPartial * size.w, end), size.w),
          referenceByWeights(g, activation(x, layer, kind), normGradient(dz, y, above)),
        );
      },
    );

    it("refuses a store of channels that do not come in fours, and one that wants all results at once", (context) => {
      const odd = depthwiseGeometry([1, 4, 4, 6], 3);
      const own = target(context);
      expect(() => depthwiseForward(own, odd, { store: plainStore("y", 6, { width: 8, begin: 2 }) })).toThrow(
        "A depthwise convolution of 6 channels cannot be stored otherwise than as it is: that takes a multiple of 4.",
      );
      const four = depthwiseGeometry([1, 4, 4, 4], 3);
      expect(() =>
        depthwiseForward(own, four, { store: momentsStore("y", 4, { width: 4, begin: 0 }) }),
      ).toThrow("ask for its moments");
    });
  },
);
