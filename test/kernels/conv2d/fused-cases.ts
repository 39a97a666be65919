import { describe, expect, it } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { allChannels } from "../../../src/kernels/text/channel-range.ts";
import { conv2dBackwardDataFused } from "../../../src/kernels/conv2d/backward-data.ts";
import { conv2dForwardFused } from "../../../src/kernels/conv2d/forward.ts";
import { activationLoad, joinedLoad, normGradientLoad } from "../../../src/kernels/conv2d/load.ts";
import {
  activationGradientEpilogue,
  normGradientEpilogue,
  plainEpilogue,
} from "../../../src/kernels/conv2d/epilogue.ts";
import { joinedStore, momentsStore, plainStore } from "../../../src/kernels/conv2d/store.ts";
import { expectClose } from "../../helpers/close.ts";
import { closeness, targetFor } from "../../helpers/families.ts";
import type { Families } from "../../helpers/families.ts";
import { usesMatrices } from "../../helpers/emulated-matrices.ts";
import { runKernels } from "../../helpers/gpu.ts";
import { embed, embedPlanes, extract, rubbish } from "./channel-embedding.ts";
import {
  activation,
  activationGradient,
  coefficients,
  geometry,
  joined,
  norm,
  normGradient,
  nothing,
  sums,
} from "./fused-reference.ts";
import { checkMoments } from "./moments.ts";
import { numbers, referenceConv2d, sizes } from "./reference.ts";

/**
 * Tests what convolutions and their gradients by data load, and how they store.
 *
 * @param options.few one or two of what each family loads and stores alike, where a text compiles for many seconds
 */
export function describeFused(families: Families, gpu: () => Gpu, { few = false } = {}): void {
  const some = <Case>(cases: readonly Case[], most: number): readonly Case[] =>
    few ? cases.slice(0, most) : cases;
  describe.each(Object.entries(families))("fused conv2d with %s", (_, adapt) => {
    describe("forward", () => {
      const normalized = [
        ["3×3, padded, odd extents", geometry([2, 5, 7, 8], [3, 3, 8, 12]), 12, "relu"],
        ["1×1, rows of several tiles", geometry([3, 9, 11, 20], [1, 1, 20, 24]), 8, "relu6"],
        ["3×3 on one pixel", geometry([1, 1, 1, 12], [3, 3, 12, 32]), 4, "swish"],
        ["1×1, no activation", geometry([2, 3, 5, 8], [1, 1, 8, 8]), 0, "linear"],
      ] as const;
      it.for(some(normalized, 2))(
        "normalizes what it loads and stores into its channels: %s",
        async ([, g, begin, kind], context) => {
          const target = targetFor(gpu(), adapt, context);
          const { x, w } = { x: numbers(sizes(g).x, 1), w: numbers(sizes(g).w, 2) };
          const from = { width: g.inChannels + 8, begin: 4 };
          const to = { width: g.outChannels + begin + 4, begin };
          const planes = { width: g.inChannels + 20, begin: 16 };
          // With so large a slope a ReLU6 bends twice.
          const layer = norm(g.inChannels, 3).map((plane, i) => plane.map((v) => (i === 1 ? 4 * v : v)));
          const weightsBegin = 36;
          const { kernel, partialCount } = conv2dForwardFused(target, g, {
            half: true,
            load: activationLoad("x", 4, from, {
              size: planes.width,
              begin: planes.begin,
              activation: kind,
            }),
            store: plainStore("y", g.outChannels, to),
            weightsBegin,
          });
          expect(partialCount).toBeGreaterThan(0);
          expect(usesMatrices(kernel)).toBe(target.subgroupMatrix !== null);
          const { y } = await runKernels(
            gpu(),
            [kernel],
            {
              x: embed(x, g.inChannels, from),
              norm: embedPlanes(layer, planes),
              w: Float32Array.from([...rubbish(weightsBegin), ...w]),
              y: rubbish(g.batch * g.outHeight * g.outWidth * to.width),
            },
            ["y"],
          );
          const expected = referenceConv2d(g, { ...nothing(g), x: activation(x, layer, kind), w }).y;
          expectClose(extract(y, g.outChannels, to), expected, closeness(gpu(), target));
        },
      );

      const measured = [
        ["1×1 to more columns than a narrow tile has", geometry([2, 5, 7, 8], [1, 1, 8, 40]), 0],
        ["3×3, stride 2", geometry([3, 9, 7, 12], [3, 3, 12, 8], 2), 3],
        ["3×3 on two pixels", geometry([2, 1, 1, 12], [3, 3, 12, 32]), 1],
      ] as const;
      it.for(some(measured, 1))(
        "leaves the moments of every tile: %s",
        async ([, g, firstPartial], context) => {
          const target = targetFor(gpu(), adapt, context);
          const { x, w } = { x: numbers(sizes(g).x, 4), w: numbers(sizes(g).w, 5) };
          const to = { width: g.outChannels + 8, begin: 4 };
          // A large mean against a small deviation.
          const layer = norm(g.inChannels, 6).map((plane, i) =>
            i === 2 ? plane.map((beta) => beta + 100) : plane,
          );
          const { kernel, partialCount } = conv2dForwardFused(target, g, {
            half: true,
            load: activationLoad("x", 4, allChannels(g.inChannels), {
              size: g.inChannels,
              begin: 0,
              activation: "relu",
            }),
            store: momentsStore("y", g.outChannels, to, firstPartial),
          });
          expect(usesMatrices(kernel)).toBe(target.subgroupMatrix !== null);
          const results = await runKernels(
            gpu(),
            [kernel],
            {
              x,
              w,
              norm: embedPlanes(layer, allChannels(g.inChannels)),
              y: rubbish(g.batch * g.outHeight * g.outWidth * to.width),
              partials: rubbish((firstPartial + partialCount + 1) * 2 * g.outChannels),
              counts: rubbish(firstPartial + partialCount + 1),
            },
            ["y", "partials", "counts"],
          );
          const y = extract(results.y, g.outChannels, to);
          expectClose(
            y,
            referenceConv2d(g, { ...nothing(g), x: activation(x, layer), w }).y,
            closeness(gpu(), target),
          );
          checkMoments(y, g.outChannels, results, [firstPartial, partialCount]);
        },
      );

      it("normalizes and finds moments of channels that do not come in fours", async (context) => {
        const target = targetFor(gpu(), adapt, context);
        const g = geometry([2, 5, 7, 6], [3, 3, 6, 11]);
        const [x, w] = [numbers(sizes(g).x, 1), numbers(sizes(g).w, 2)];
        const ofNorm = { width: 24, begin: 8 };
        const layer = norm(g.inChannels, 3);
        const { kernel, partialCount } = conv2dForwardFused(target, g, {
          half: true,
          load: activationLoad("x", 1, allChannels(g.inChannels), {
            ...{ size: ofNorm.width, begin: ofNorm.begin, activation: "relu" },
          }),
          store: momentsStore("y", g.outChannels, allChannels(g.outChannels), 1),
        });
        const results = await runKernels(
          gpu(),
          [kernel],
          {
            ...{ x, w, norm: embedPlanes(layer, ofNorm), y: rubbish(sizes(g).y) },
            partials: rubbish((partialCount + 2) * 2 * 12),
            counts: rubbish(partialCount + 2),
          },
          ["y", "partials", "counts"],
        );
        const expected = referenceConv2d(g, { ...nothing(g), x: activation(x, layer), w }).y;
        expectClose(results.y, expected, closeness(gpu(), target));
        checkMoments(results.y, g.outChannels, results, [1, partialCount]);
      });

      const biased = [
        ["odd channels", geometry([2, 3, 5, 8], [1, 1, 8, 11]), "relu6"],
        ["channels in fours", geometry([2, 5, 7, 8], [3, 3, 8, 12]), "sigmoid"],
      ] as const;
      it.for(some(biased, 1))("adds its bias and activates its result: %s", async ([, g, kind], context) => {
        const target = targetFor(gpu(), adapt, context);
        const [x, w, bias] = [numbers(sizes(g).x, 1), numbers(sizes(g).w, 2), numbers(g.outChannels, 3)];
        const { kernel } = conv2dForwardFused(target, g, {
          ...{ half: true, bias: true },
          store: plainEpilogue({ range: allChannels(g.outChannels), activation: kind }).store(
            "y",
            g.outChannels,
          ),
        });
        const { y } = await runKernels(gpu(), [kernel], { x, w, bias, y: rubbish(sizes(g).y) }, ["y"]);
        const before = referenceConv2d(g, { ...nothing(g), x, w }).y.map(
          (value, i) => value + bias[i % g.outChannels],
        );
        const expected = before.map((value) =>
          kind === "sigmoid" ? 1 / (1 + Math.exp(-value)) : Math.min(Math.max(value, 0), 6),
        );
        expectClose(y, expected, closeness(gpu(), target));
      });

      it("takes two tensors for one and makes two of its result", async (context) => {
        const target = targetFor(gpu(), adapt, context);
        const g = geometry([2, 5, 7, 20], [3, 3, 20, 12], 2);
        const [first, second] = [8, 12];
        const rows = g.batch * g.inHeight * g.inWidth;
        const [a, b] = [numbers(rows * first, 1), numbers(rows * second, 2)];
        const w = numbers(sizes(g).w, 3);
        const { kernel } = conv2dForwardFused(target, g, {
          half: true,
          load: joinedLoad(target, 4, { name: "x", channels: first }, { name: "x2", channels: second }),
          store: joinedStore({ name: "y", channels: 4 }, { name: "y2", channels: 8 }),
        });
        const pixels = g.batch * g.outHeight * g.outWidth;
        const buffers = { x: a, x2: b, w, y: rubbish(pixels * 4), y2: rubbish(pixels * 8) };
        expect(usesMatrices(kernel)).toBe(target.subgroupMatrix !== null);
        const { y, y2 } = await runKernels(gpu(), [kernel], buffers, ["y", "y2"]);
        const x = joined([
          [a, first],
          [b, second],
        ]);
        const both = joined([
          [y, 4],
          [y2, 8],
        ]);
        expectClose(both, referenceConv2d(g, { ...nothing(g), x, w }).y, closeness(gpu(), target));
      });
    });

    describe("by data", () => {
      const passed = [
        ["3×3, padded", geometry([2, 5, 7, 40], [3, 3, 40, 12]), "plain", "relu"],
        ["1×1, adding to what is there", geometry([3, 5, 7, 36], [1, 1, 36, 20]), "accumulated", "relu6"],
        ["1×1, by γ", geometry([2, 3, 5, 12], [1, 1, 12, 8]), "scaled", "swish"],
        ["1×1, adding, two rows", geometry([2, 1, 1, 8], [1, 1, 8, 8]), "accumulated", "linear"],
        ["1×1, by γ, through a ReLU", geometry([2, 3, 5, 12], [1, 1, 12, 8]), "scaled", "relu"],
      ] as const;
      it.for(some(passed, 3))(
        "goes back through two norms and an activation: %s",
        async ([, g, stored, kind], context) => {
          const target = targetFor(gpu(), adapt, context);
          const [c, k] = [g.inChannels, g.outChannels];
          const size = sizes(g);
          const [dz, y, w] = [numbers(size.y, 1), numbers(size.y, 2), numbers(size.w, 3)];
          const [x, before] = [numbers(size.x, 4), numbers(size.x, 5)];
          const above = coefficients(k, 6);
          const below = norm(c, 20).map((plane, i) => plane.map((v) => (i === 1 ? 4 * v : v)));
          const ofGradient = { width: k + 4, begin: 4 };
          const ofY = { width: k + 8, begin: 8 };
          const ofCoefficients = { width: k + 12, begin: 4 };
          const ofX = { width: c + 8, begin: 4 };
          const ofNorm = { width: c + 4, begin: 4 };
          const ofResult = { width: c + 12, begin: 8 };
          const ofAddend = { width: c + 4, begin: 0 };
          const addend = numbers(size.x, 7);
          const [firstPartial, weightsBegin] = [2, 8];
          const { kernel, partialCount } = conv2dBackwardDataFused(target, g, {
            half: true,
            load: normGradientLoad(
              4,
              { name: "dy", range: ofGradient },
              { name: "y", range: ofY },
              { size: ofCoefficients.width, begin: ofCoefficients.begin },
            ),
            store: normGradientEpilogue({
              ...{ range: ofResult, before: ofX, activation: kind },
              planes: { size: ofNorm.width, begin: ofNorm.begin },
              ...{ stored, firstPartial, addends: [ofAddend] },
            }).store("dx", c),
            weightsBegin,
          });
          expect(usesMatrices(kernel)).toBe(target.subgroupMatrix !== null);
          const results = await runKernels(
            gpu(),
            [kernel],
            {
              dy: embed(dz, k, ofGradient),
              y: embed(y, k, ofY),
              coefficients: embedPlanes(above, ofCoefficients),
              w: Float32Array.from([...rubbish(weightsBegin), ...w]),
              before: embed(x, c, ofX),
              addend0: embed(addend, c, ofAddend),
              norm: embedPlanes(below, ofNorm),
              dx: embed(before, c, ofResult),
              partials: rubbish((firstPartial + partialCount + 1) * 2 * c),
            },
            ["dx", "partials"],
          );
          const { dx } = referenceConv2d(g, { ...nothing(g), dy: normGradient(dz, y, above), w });
          const [mean, , , inverse, gamma] = below;
          const added = Float64Array.from(dx, (value, i) => value + addend[i]);
          const passed = activationGradient(x, added, below, kind);
          expectClose(
            extract(results.dx, c, ofResult),
            passed.map((value, i) => {
              if (stored === "plain") return value;
              return gamma[i % c] * value + (stored === "accumulated" ? before[i] : 0);
            }),
            closeness(gpu(), target),
          );
          const partialIndex = (i: number): Float32Array =>
            results.partials.slice(2 * c * i, 2 * c * (i + 1));
          for (const i of [0, 1, firstPartial + partialCount])
            expect(partialIndex(i)).toEqual(rubbish(2 * c));
          const total = new Float64Array(2 * c);
          for (let i = firstPartial; i < firstPartial + partialCount; i++)
            partialIndex(i).forEach((value, j) => (total[j] += value));
          expectClose(total.slice(0, c), sums(passed, c), closeness(gpu(), target), "Σ da");
          const normalized = passed.map((value, i) => value * (x[i] - mean[i % c]) * inverse[i % c]);
          expectClose(total.slice(c), sums(normalized, c), closeness(gpu(), target), "Σ da·x̂");
        },
      );

      const added = [
        ["3×3, stride 2, through a ReLU6", geometry([2, 5, 7, 8], [3, 3, 8, 12], 2), "relu6"],
        ["1×1, alone", geometry([3, 5, 7, 36], [1, 1, 36, 20]), null],
        ["1×1, through a swish", geometry([2, 3, 5, 12], [1, 1, 12, 8]), "swish"],
      ] as const;
      it.for(some(added, 2))("is added to what lies elsewhere: %s", async ([, g, kind], context) => {
        const target = targetFor(gpu(), adapt, context);
        const [c, size] = [g.inChannels, sizes(g)];
        const [dy, w, before] = [numbers(size.y, 1), numbers(size.w, 2), numbers(size.x, 3)];
        const addends = [numbers(size.x, 4), numbers(size.x, 5)];
        const [ofResult, ofBefore] = [
          { width: c + 12, begin: 8 },
          { width: c + 8, begin: 4 },
        ];
        const ofAddends = [
          { width: c + 4, begin: 4 },
          { width: c, begin: 0 },
        ];
        const { kernel } = conv2dBackwardDataFused(target, g, {
          half: true,
          store: (kind
            ? activationGradientEpilogue({
                ...{ range: ofResult, before: ofBefore },
                ...{ activation: kind, addends: ofAddends },
              })
            : plainEpilogue({ range: ofResult, addends: ofAddends })
          ).store("dx", c),
        });
        expect(usesMatrices(kernel)).toBe(target.subgroupMatrix !== null);
        const { dx } = await runKernels(
          gpu(),
          [kernel],
          {
            ...{ dy, w, dx: rubbish((size.x / c) * ofResult.width) },
            ...(kind && { before: embed(before, c, ofBefore) }),
            addend0: embed(addends[0], c, ofAddends[0]),
            addend1: embed(addends[1], c, ofAddends[1]),
          },
          ["dx"],
        );
        const product = referenceConv2d(g, { ...nothing(g), dy, w }).dx;
        const plane = (value: number): Float32Array => new Float32Array(c).fill(value);
        const passed = kind
          ? activationGradient(before, product, [plane(0), plane(1), plane(0)], kind)
          : product;
        expectClose(
          extract(dx, c, ofResult),
          Float64Array.from(passed, (value, i) => value + addends[0][i] + addends[1][i]),
          closeness(gpu(), target),
        );
      });

      it("takes two tensors for one and leaves moments of all its phases", async (context) => {
        const target = targetFor(gpu(), adapt, context);
        // A transposed convolution: the result is the larger image.
        const g = geometry([2, 10, 6, 12], [3, 3, 12, 20], 2);
        const [first, second] = [4, 16];
        const rows = g.batch * g.outHeight * g.outWidth;
        const [a, b] = [numbers(rows * first, 1), numbers(rows * second, 2)];
        const w = numbers(sizes(g).w, 3);
        const { kernel, partialCount } = conv2dBackwardDataFused(target, g, {
          half: true,
          load: joinedLoad(target, 4, { name: "dy", channels: first }, { name: "dy2", channels: second }),
          store: momentsStore("dx", g.inChannels, allChannels(g.inChannels), 1),
        });
        expect(usesMatrices(kernel)).toBe(target.subgroupMatrix !== null);
        const results = await runKernels(
          gpu(),
          [kernel],
          {
            dy: a,
            dy2: b,
            w,
            dx: rubbish(sizes(g).x),
            partials: rubbish((partialCount + 2) * 2 * g.inChannels),
            counts: rubbish(partialCount + 2),
          },
          ["dx", "partials", "counts"],
        );
        const dy = joined([
          [a, first],
          [b, second],
        ]);
        expectClose(results.dx, referenceConv2d(g, { ...nothing(g), dy, w }).dx, closeness(gpu(), target));
        checkMoments(results.dx, g.inChannels, results, [1, partialCount]);
      });
    });
  });
}
