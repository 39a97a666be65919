import { describe, expect, it } from "vitest";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph, variableParts } from "../../src/graph/graph.ts";
import { sparseSoftmaxCrossEntropy } from "../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { rmsprop } from "../../src/graph/optimizers/rmsprop.ts";
import { plan } from "../../src/graph/plan.ts";
import type { PlanSummary } from "../../src/graph/plan.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { isDecoderGroup, skipsOf, unet, unetDecoder, unetEncoder } from "../../src/layers/unet.ts";
import { denseNet121 } from "../../src/layers/networks/densenet.ts";
import { DECODERS } from "../../src/layers/networks/decoder.ts";
import type { Decoder } from "../../src/layers/networks/decoder.ts";
import { unetLayers } from "../../src/layers/networks/unet.ts";
import { paperTarget } from "../helpers/target.ts";

describe("unet", () => {
  it("gives logits for every pixel; the decoder has pix2pix's shapes", () => {
    const graph = new Graph();
    const options = { classes: 59, training: false, trainableEncoder: false };
    expect(unet(graph.input("image", [2, 64, 64, 3]), options).shape).toEqual([2, 64, 64, 59]);
    const decoder = [...graph.variables.values()]
      .flatMap(variableParts)
      .filter(({ name }) => /^(upsample|head)/.test(name));
    expect(Object.fromEntries(decoder.map(({ name, shape }) => [name, shape]))).toMatchObject({
      "upsample_1/conv2d_transpose/kernel": [3, 3, 512, 1024],
      "upsample_2/conv2d_transpose/kernel": [3, 3, 256, 1536],
      "upsample_3/conv2d_transpose/kernel": [3, 3, 128, 768],
      "upsample_4/conv2d_transpose/kernel": [3, 3, 64, 384],
      "upsample_4/batch_normalization/moving_variance": [64],
      "head/kernel": [3, 3, 59, 128],
      "head/bias": [59],
    });
    expect(decoder.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(9_435_323);
  });

  it.each(["nearest", "bilinear"] as const)(
    "has as many parameters with the %s decoder, its kernels HWIO",
    (kind) => {
      const graph = new Graph();
      const options = { classes: 59, training: false, trainableEncoder: false, decoder: kind };
      expect(unet(graph.input("image", [2, 64, 64, 3]), options).shape).toEqual([2, 64, 64, 59]);
      const decoder = [...graph.variables.values()]
        .flatMap(variableParts)
        .filter(({ name }) => /^(upsample|head)/.test(name));
      expect(Object.fromEntries(decoder.map(({ name, shape }) => [name, shape]))).toMatchObject({
        "upsample_1/conv2d/kernel": [3, 3, 1024, 512],
        "upsample_2/conv2d/kernel": [3, 3, 1536, 256],
        "upsample_3/conv2d/kernel": [3, 3, 768, 128],
        "upsample_4/conv2d/kernel": [3, 3, 384, 64],
        "upsample_4/batch_normalization/moving_variance": [64],
        "head/kernel": [3, 3, 128, 59],
        "head/bias": [59],
      });
      // Kernels without bias, four vectors a batch norm, the head with bias.
      const blocks = [
        [1024, 512],
        [1536, 256],
        [768, 128],
        [384, 64],
      ];
      const expected = blocks.reduce((sum, [from, to]) => sum + 9 * from * to + 4 * to, 9 * 128 * 59 + 59);
      expect(decoder.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(expected);
    },
  );

  it("is an encoder and a decoder that share nothing but the skips", () => {
    const options = { classes: 59, training: true, trainableEncoder: false };
    const [whole, first, second] = [new Graph(), new Graph(), new Graph()];
    unet(whole.input("image", [2, 64, 64, 3]), options);
    const skips = unetEncoder(first.input("image", [2, 64, 64, 3]), options);
    for (const { name, stride, channels } of skipsOf(denseNet121))
      expect(skips[name].shape).toEqual([2, 64 / stride, 64 / stride, channels]);
    const inputs = Object.entries(skips).map(
      ([name, { shape }]) => [name, second.input(name, shape)] as const,
    );
    const logits = unetDecoder(Object.fromEntries(inputs), options);
    expect(logits.shape).toEqual([2, 64, 64, 59]);
    expect([...first.variables.keys(), ...second.variables.keys()]).toEqual([...whole.variables.keys()]);
    expect(first.nodes.length + second.nodes.length).toBe(whole.nodes.length);
  });

  it.each(DECODERS)("has every variable in a group, with the %s decoder", (decoder) => {
    const options = { classes: 3, training: true, trainableEncoder: true, decoder };
    const graph = new Graph();
    unet(graph.input("image", [1, 32, 32, 3]), options);
    for (const { part, weights } of unetLayers({ classes: 3, decoder })) {
      const group = part === "encoder" || part === "head" ? part : "decoder";
      for (const { name } of weights) {
        const home = [...graph.variables.values()].find((tensor) =>
          variableParts(tensor).some((each) => each.name === name),
        );
        expect([name, home?.variable!.group]).toEqual([name, group]);
      }
    }
    expect(["encoder", "decoder", "head", "optimizer", null].map(isDecoderGroup)).toEqual([
      ...[false, true, true, false, false],
    ]);
  });

  describe.each(["register", "workgroup"] as const)("a training step with %s kernels", (family) => {
    const step = (
      batch: number,
      size: number,
      trainableEncoder: boolean,
      some: { decoder?: Decoder; trainableDecoder?: boolean } = {},
    ): PlanSummary => {
      const graph = new Graph();
      const logits = unet(graph.input("image", [batch, size, size, 3]), {
        classes: 59,
        training: true,
        trainableEncoder,
        ...some,
      });
      const loss = sparseSoftmaxCrossEntropy(logits, graph.input("labels", [batch, size, size], "u32"));
      const updates = rmsprop(gradients(loss), { learningRate: 1e-3 });
      return plan({ outputs: { loss }, updates }, { ...paperTarget, family }).summary;
    };

    it("needs at most 64 pipelines, at a batch of 64 photos of 128² too, whose logits no binding holds", () => {
      expect(step(2, 64, true).pipelines).toBeLessThanOrEqual(64);
      expect(step(64, 128, true).pipelines).toBeLessThanOrEqual(64);
      for (const decoder of ["nearest", "bilinear"] as const)
        expect(step(64, 128, true, { decoder }).pipelines).toBeLessThanOrEqual(64);
    });

    it("costs no backward pass for a frozen encoder", () => {
      expect(step(2, 64, false).dispatches).toBeLessThan(step(2, 64, true).dispatches / 3);
    });

    it("costs hardly more than the forward pass where the head learns alone", () => {
      const graph = new Graph();
      const options = { classes: 59, training: false, trainableEncoder: false };
      const logits = unet(graph.input("image", [2, 64, 64, 3]), options);
      const forward = plan({ outputs: { logits } }, { ...paperTarget, family }).summary;
      const alone = step(2, 64, false, { trainableDecoder: false });
      expect(alone.dispatches).toBeLessThan(forward.dispatches + 16);
      // What the optimizer keeps of the head besides its weights: 59 · 9 · 128 + 59 numbers, filled up to multiples of 64.
      expect(alone.variableBytes - forward.variableBytes).toBe(4 * (59 * 9 * 128 + 64));
    });

    it("trains an encoder through a frozen decoder", () => {
      const graph = new Graph();
      const options = { classes: 3, training: true, trainableEncoder: true, trainableDecoder: false };
      const logits = unet(graph.input("image", [1, 32, 32, 3]), options);
      const loss = sparseSoftmaxCrossEntropy(logits, graph.input("labels", [1, 32, 32], "u32"));
      const groups = [...gradients(loss).keys()].map(({ variable }) => variable!.group);
      expect([...new Set(groups)].sort()).toEqual(["encoder", "head"]);
    });
  });
});
