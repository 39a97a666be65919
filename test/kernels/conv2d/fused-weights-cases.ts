import { describe, expect, it } from "vitest";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { conv2dBackwardWeights } from "../../../src/kernels/conv2d/backward-weights.ts";
import { activationLoad, joinedLoad, normGradientLoad, plainLoad } from "../../../src/kernels/conv2d/load.ts";
import type { WeightsKernel } from "../../../src/kernels/conv2d/weights-product.ts";
import { expectClose } from "../../helpers/close.ts";
import { closeness, targetFor } from "../../helpers/families.ts";
import type { Families } from "../../helpers/families.ts";
import { usesMatrices } from "../../helpers/emulated-matrices.ts";
import { runKernels } from "../../helpers/gpu.ts";
import { RUBBISH, embed, embedPlanes, rubbish } from "./channel-embedding.ts";
import {
  activation,
  coefficients,
  geometry,
  joined,
  norm,
  normGradient,
  nothing,
} from "./fused-reference.ts";
import type { TestedActivation } from "./fused-reference.ts";
import { numbers, referenceConv2d, sizes } from "./reference.ts";

/** Tests what gradients of convolutions by their kernels load, and products of many layers. */
export function describeFusedWeights(families: Families, gpu: () => Gpu): void {
  describe.each(Object.entries(families))("fused conv2d by weights with %s", (_, adapt) => {
    /** The partial sums of a product, added up; fails unless all of them and nothing else was written. */
    async function total(
      { partial, splits, count }: WeightsKernel,
      buffers: Record<string, Float32Array>,
    ): Promise<Float64Array> {
      const behind = 64;
      const { dw } = await runKernels(
        gpu(),
        [partial],
        { ...buffers, dw: rubbish(splits * count + behind) },
        ["dw"],
      );
      expect(dw.slice(splits * count)).toEqual(rubbish(behind));
      const sum = new Float64Array(count);
      for (let i = 0; i < splits * count; i++) {
        expect(dw[i]).not.toBe(RUBBISH);
        sum[i % count] += dw[i];
      }
      return sum;
    }

    interface Layered {
      readonly x: readonly [batch: number, height: number, width: number, channels: number];
      readonly size: number;
      readonly outputs: number;
      readonly layers: number;
      readonly growth: number;
      /** Channels by which x begins later in each layer. */
      readonly step: number;
      /** Multiples at which the norms of the layers begin; 1 by default. */
      readonly alignment?: number;
      readonly kind?: TestedActivation;
    }

    it.for<[string, Layered]>([
      [
        "1×1 kernels of more channels each",
        { x: [2, 5, 7, 8], size: 1, outputs: 12, layers: 3, growth: 4, step: 0 },
      ],
      [
        "norms that begin at multiples of 64",
        {
          x: [2, 5, 7, 56],
          size: 1,
          outputs: 16,
          layers: 4,
          growth: 8,
          step: 0,
          alignment: 64,
          kind: "swish",
        },
      ],
      [
        "3×3 kernels, each of channels of its own",
        { x: [3, 5, 3, 8], size: 3, outputs: 4, layers: 4, growth: 0, step: 8 },
      ],
      ["one 1×1 kernel", { x: [1, 3, 1, 4], size: 1, outputs: 8, layers: 1, growth: 4, step: 0 }],
      ["sums in several parts", { x: [1, 49, 53, 4], size: 1, outputs: 12, layers: 2, growth: 8, step: 4 }],
    ])(
      "takes the kernels of all layers at once: %s",
      async (
        [, { x: shape, size, outputs: k, layers, growth, step, alignment = 1, kind = "relu" }],
        context,
      ) => {
        const target = targetFor(gpu(), adapt, context);
        const [batch, height, width, c] = shape;
        const rows = batch * height * width;
        const channels = (layer: number): number => c + layer * growth;
        const before = (layer: number): number =>
          Array.from({ length: layer }, (_, i) => Math.ceil(channels(i) / alignment) * alignment).reduce(
            (sum, own) => sum + own,
            0,
          );
        const all = (layers - 1) * (growth + step) + c;
        const ofX = { width: all + 8, begin: 4 };
        const ofGradient = { width: layers * k + 4, begin: 4 };
        const ofY = { width: layers * k + 8, begin: 0 };
        const ofNorm = { width: before(layers) + 8, begin: 4 };
        const ofCoefficients = { width: layers * k + 12, begin: 8 };
        const x = numbers(rows * all, 1);
        const [dz, y] = [numbers(rows * layers * k, 2), numbers(rows * layers * k, 3)];
        const below = norm(before(layers), 4);
        const above = coefficients(layers * k, 20);
        const g = geometry(shape, [size, size, c, k]);
        const kernel = conv2dBackwardWeights(target, g, {
          half: true,
          left: (width, begins) =>
            activationLoad(
              "x",
              width,
              ofX,
              { size: ofNorm.width, begin: ofNorm.begin, activation: kind },
              begins,
            ),
          right: (width, begins) =>
            normGradientLoad(
              width,
              { name: "dy", range: ofGradient },
              { name: "y", range: ofY },
              { size: ofCoefficients.width, begin: ofCoefficients.begin },
              begins,
            ),
          layers: {
            count: layers,
            growth,
            steps: { x: step, norm: "channels of x", dy: k, y: k, coefficients: k },
            alignment,
          },
        });
        expect(usesMatrices(kernel.partial)).toBe(target.subgroupMatrix !== null && rows >= 5);
        const sum = await total(kernel, {
          x: embed(x, all, ofX),
          norm: embedPlanes(below.slice(0, 3), ofNorm),
          dy: embed(dz, layers * k, ofGradient),
          y: embed(y, layers * k, ofY),
          coefficients: embedPlanes(above, ofCoefficients),
        });
        if (rows > 2048) expect(kernel.splits).toBeGreaterThan(1);

        const cut = (values: Float32Array, width: number, begin: number, count: number): Float32Array =>
          Float32Array.from(
            { length: (values.length / width) * count },
            (_, i) => values[Math.floor(i / count) * width + begin + (i % count)],
          );
        const expected = Array.from({ length: layers }, (_, layer) => {
          const count = channels(layer);
          const own = below.map((plane) => plane.slice(before(layer), before(layer) + count));
          const mine = above.map((plane) => plane.slice(layer * k, (layer + 1) * k));
          const part = geometry([batch, height, width, count], [size, size, count, k]);
          return referenceConv2d(part, {
            ...nothing(part),
            x: activation(cut(x, all, layer * step, count), own, kind),
            dy: normGradient(cut(dz, layers * k, layer * k, k), cut(y, layers * k, layer * k, k), mine),
          }).dw;
        });
        expectClose(
          sum,
          expected.flatMap((part) => [...part]),
          closeness(gpu(), target),
        );
      },
    );

    it("takes two gradients for one", async (context) => {
      const target = targetFor(gpu(), adapt, context);
      const g = geometry([2, 6, 10, 12], [3, 3, 12, 20], 2);
      const [first, second] = [4, 16];
      const rows = g.batch * g.outHeight * g.outWidth;
      const [a, b] = [numbers(rows * first, 1), numbers(rows * second, 2)];
      const x = numbers(sizes(g).x, 3);
      const from = { width: 16, begin: 4 };
      const kernel = conv2dBackwardWeights(target, g, {
        half: true,
        left: (width, begins) => plainLoad("x", width, from, begins),
        right: (width) =>
          joinedLoad(target, width, { name: "dy", channels: first }, { name: "dy2", channels: second }),
      });
      const dy = joined([
        [a, first],
        [b, second],
      ]);
      const sum = await total(kernel, { x: embed(x, 12, from), dy: a, dy2: b });
      expectClose(sum, referenceConv2d(g, { ...nothing(g), x, dy }).dw, closeness(gpu(), target));
    });
  });
}
