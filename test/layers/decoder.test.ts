import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { sparseSoftmaxCrossEntropy } from "../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { adam } from "../../src/graph/optimizers/adam.ts";
import { compile } from "../../src/graph/compile.ts";
import { Variables } from "../../src/graph/variables.ts";
import { buildLayers } from "../../src/layers/networks/build.ts";
import { addHead, addUpsampleBlock } from "../../src/layers/networks/decoder.ts";
import { DECODERS } from "../../src/layers/networks/decoder.ts";
import type { Decoder } from "../../src/layers/networks/decoder.ts";
import { LayerList } from "../../src/layers/networks/layer-list.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";
import { runOp } from "../helpers/op.ts";
import { bilinearTwice } from "../parity/bilinear-twice.ts";
import { repeatedTwice } from "../parity/repeated-twice.ts";
import { randomInput, tfjsReference } from "../helpers/tfjs-reference.ts";

const MODE = { training: true, trainable: () => true };

/** One upsample block over `x`, and a head of `classes` where there are any. */
function decoded(
  x: Tensor,
  decoder: Decoder,
  { filters, classes }: { filters: number; classes?: number },
): Tensor {
  const list = new LayerList({ inputs: { x: { channels: x.shape[3], stride: 4 } } });
  const block = addUpsampleBlock(list, "upsample_1", "x", { filters, decoder });
  const output = classes === undefined ? block : addHead(list, block, { classes, decoder });
  return buildLayers(list.layers, { x }, { ...MODE, outputs: [output] })[output];
}

const [BATCH, SIZE, CHANNELS, FILTERS] = [2, 3, 8, 4];
/** Layer and kernel shape of each decoder's block. */
const KERNELS = {
  transpose: { layer: "conv2d_transpose", shape: [3, 3, FILTERS, CHANNELS] },
  nearest: { layer: "conv2d", shape: [3, 3, CHANNELS, FILTERS] },
  bilinear: { layer: "conv2d", shape: [3, 3, CHANNELS, FILTERS] },
} as const;

/** tfjs's way. */
function tfjsConvolve2x(decoder: Decoder, x: tf.Tensor4D, kernel: tf.Tensor4D, filters: number): tf.Tensor4D {
  const size = 2 * x.shape[1];
  if (decoder === "transpose") {
    return tf.conv2dTranspose(x, kernel, [x.shape[0], size, size, filters], 2, "same");
  }
  const large = decoder === "nearest" ? repeatedTwice(x) : bilinearTwice(x);
  return tf.conv2d<tf.Tensor4D>(large, kernel, 1, "same");
}

describe.each(DECODERS)("the decoder %s", (decoder) => {
  const gpu = useGpu();
  const { layer, shape } = KERNELS[decoder];

  it("has a block that equals tfjs, its gradient too", async () => {
    const x = randomInput([BATCH, SIZE, SIZE, CHANNELS], 1);
    const kernel = randomInput(shape, 2);
    const { data: dy } = randomInput([BATCH, 2 * SIZE, 2 * SIZE, FILTERS], 3);
    const expected = tfjsReference(
      (x, kernel) => {
        const y = tfjsConvolve2x(decoder, x as tf.Tensor4D, kernel as tf.Tensor4D, FILTERS);
        const { mean, variance } = tf.moments(y, [0, 1, 2]);
        return tf.relu(tf.div(tf.sub(y, mean), tf.sqrt(tf.add(variance, 1e-3))));
      },
      [x, kernel],
      dy,
    );
    const values = [[`upsample_1/${layer}/kernel`, kernel]] as const;
    const variables = new Variables(gpu(), { values });
    const block = (x: Tensor): Tensor => decoded(x, decoder, { filters: FILTERS });
    const result = await runOp(gpu(), block, [x], dy, { variables });
    variables.destroy();
    expectClose(result.y, expected.y);
    expectClose(result.gradients[0], expected.gradients[0]);
  });

  it("starts from pix2pix's normal kernels and Glorot's in the head", async () => {
    const graph = new Graph();
    const x = graph.input("x", [1, 2, 2, 64]);
    const logits = decoded(x, decoder, { filters: 32, classes: 16 });
    expect(logits.shape).toEqual([1, 8, 8, 16]);
    const variables = new Variables(gpu(), { seed: 1 });
    const program = await compile(gpu(), { outputs: { logits }, variables });
    const normal = await variables.read(`upsample_1/${layer}/kernel`);
    const deviation = Math.sqrt(normal.reduce((sum, x) => sum + x * x, 0) / normal.length);
    expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(0.02);
    const limit = Math.sqrt(6 / (9 * (32 + 16)));
    const largest = (await variables.read("head/kernel")).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(largest / limit).toBeLessThanOrEqual(1);
    expect(largest / limit).toBeGreaterThan(0.99);
    expect(await variables.read("head/bias")).toEqual(new Float32Array(16));
    program.destroy();
    variables.destroy();
  });

  it("learns", async () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 2, 2, 8]);
    const logits = decoded(x, decoder, { filters: 8, classes: 3 });
    const loss = sparseSoftmaxCrossEntropy(logits, graph.input("labels", [2, 8, 8], "u32"));
    const updates = adam(gradients(loss), { learningRate: 0.03 });
    const program = await compile(gpu(), { outputs: { loss }, updates });
    const feeds = {
      x: randomInput([2, 2, 2, 8], 1).data,
      labels: Uint32Array.from({ length: 128 }, (_, i) => (i >> 2) % 3),
    };
    const losses: number[] = [];
    for (let step = 0; step < 40; step++) losses.push((await program.run(feeds)).loss[0]);
    program.destroy();
    expect(losses[0]).toBeGreaterThan(0.9);
    expect(losses[39]).toBeLessThan(0.5 * losses[0]);
  });
});
