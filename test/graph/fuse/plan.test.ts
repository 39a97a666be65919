/** @file What fusing brings for whole networks, planned without a GPU. */
import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { sparseSoftmaxCrossEntropy } from "../../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { rmsprop } from "../../../src/graph/optimizers/rmsprop.ts";
import { plan } from "../../../src/graph/plan.ts";
import type { PlanSummary } from "../../../src/graph/plan.ts";
import { denseNet121 } from "../../../src/layers/networks/densenet.ts";
import type { Encoder } from "../../../src/layers/networks/encoder.ts";
import { ENCODERS } from "../../../src/layers/networks/encoders.ts";
import { unet } from "../../../src/layers/unet.ts";
import { paperGpu } from "../../helpers/target.ts";

/** A step that learns all of a U-Net, by default DenseNet121's. */
function step(batch: number, size: number, fuse: boolean, encoder: Encoder = denseNet121): PlanSummary {
  const graph = new Graph();
  const image = graph.input("image", [batch, size, size, 3]);
  const dropout = { seed: 1, step: graph.input("step", [], "u32") };
  const options = { classes: 59, training: true, trainableEncoder: true, encoder, dropout };
  const labels = graph.input("labels", [batch, size, size], "u32");
  const loss = sparseSoftmaxCrossEntropy(unet(image, options), labels);
  const updates = rmsprop(gradients(loss), { learningRate: 1e-3 });
  return plan({ outputs: { loss }, updates, fuse }, paperGpu).summary;
}

describe("a step that fine-tunes DenseNet121's U-Net", () => {
  it("takes at most 600 dispatches of 48 pipelines, half as many as its ops one by one", () => {
    const fused = step(2, 32, true);
    const plain = step(2, 32, false);
    expect(fused.dispatches).toBeLessThanOrEqual(600);
    expect(fused.pipelines).toBeLessThanOrEqual(48);
    expect(fused.dispatches).toBeLessThanOrEqual(plain.dispatches / 2);
  });

  it("of 64 photos of 128² takes at most 1.6 GB", () => {
    expect(step(64, 128, true).peakBytes).toBeLessThanOrEqual(1.6e9);
  });
});

describe("a step that fine-tunes a U-Net of two photos", () => {
  it.each(ENCODERS.map((encoder) => [encoder.name, encoder] as const))(
    "takes at most half as many dispatches as its ops one by one: %s",
    (_, encoder) => {
      const size = Math.max(64, 32 * Math.ceil(encoder.smallestImage / 32));
      const [fused, plain] = [true, false].map((fuse) => step(2, size, fuse, encoder).dispatches);
      expect(fused).toBeLessThanOrEqual(plain / 2);
    },
  );
});
