import { describe, expect, it } from "vitest";
import { gradients } from "../../src/graph/gradients.ts";
import { Graph, variableParts } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { seededRandom } from "../../src/graph/initializers.ts";
import { sparseSoftmaxCrossEntropy } from "../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { rmsprop } from "../../src/graph/optimizers/rmsprop.ts";
import { plan } from "../../src/graph/plan.ts";
import { compile } from "../../src/graph/program.ts";
import { Variables } from "../../src/graph/variables.ts";
import type { VariableValues } from "../../src/graph/variables.ts";
import { fusedDenseBlock, plainDenseBlock } from "../../src/layers/dense-block.ts";
import { encode } from "../../src/layers/encoder.ts";
import type { EncoderOptions } from "../../src/layers/encoder.ts";
import { denseNet121 } from "../../src/layers/networks/densenet.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";
import { inTestAll, isQuick } from "../helpers/quick.ts";
import { paperTarget } from "../helpers/target.ts";
import { randomInput } from "../helpers/tfjs-reference.ts";

const options = { layers: 3, growth: 8, epsilon: 1e-3, momentum: 0.9 };
const learning = { training: true, trainable: true };
const using = { training: false, trainable: true };

describe("fusedDenseBlock", () => {
  const build = (layer: typeof fusedDenseBlock, mode = learning): { graph: Graph; y: Tensor } => {
    const graph = new Graph();
    return { graph, y: layer(graph.input("x", [2, 4, 6, 16]), "conv2", { ...mode, ...options }) };
  };
  const parts = ({ graph }: { graph: Graph }): Record<string, unknown> =>
    Object.fromEntries(
      [...graph.variables.values()].flatMap((tensor) =>
        variableParts(tensor).map(({ name, shape }) => [name, [tensor.variable?.role, shape]]),
      ),
    );

  it.each([
    [learning, "parameter"],
    [using, "parameter"],
    [{ training: true, trainable: false }, "frozen"],
  ])("has the variables of the plain one by their names, in %j", (mode, role) => {
    const fused = build(fusedDenseBlock, mode);
    const plain = build(plainDenseBlock, mode);
    expect(fused.y.shape).toEqual([2, 4, 6, 40]);
    expect(plain.y.shape).toEqual(fused.y.shape);
    expect(parts(fused)).toEqual(parts(plain));
    expect(parts(fused)).toMatchObject({
      "conv2_block1_0_bn/gamma": [role, [16]],
      "conv2_block3_0_bn/moving_variance": ["state", [32]],
      "conv2_block3_1_conv/kernel": [role, [1, 1, 32, 32]],
      "conv2_block2_1_bn/beta": [role, [32]],
      "conv2_block2_2_conv/kernel": [role, [3, 3, 32, 8]],
    });
  });

  it("moves its statistics only where it learns", () => {
    const updates = (mode: typeof learning): number => {
      const { y } = build(fusedDenseBlock, mode);
      const { dispatches } = plan({ outputs: { y } }, paperTarget);
      return dispatches.filter(({ node }) => node.op.updates).length;
    };
    expect(updates(learning)).toBe(1);
    expect(updates(using)).toBe(0);
    expect(updates({ training: true, trainable: false })).toBe(0);
  });
});

describe("denseNet121 of fused and of plain dense blocks", () => {
  const gpu = useGpu();
  const shape = [2, 32, 32, 3];
  const image = randomInput(shape, 1).data.map((value) => 0.5 + value / 4);
  type Blocks = NonNullable<EncoderOptions["denseBlocks"]>;

  /** First values that no two channels share, by the names of the parts. */
  function someValues(): Map<string, VariableValues> {
    const graph = new Graph();
    encode(graph.input("image", shape), denseNet121, using);
    const parts = [...graph.variables.values()].flatMap(variableParts);
    const values = parts.map(({ name, shape, initializer }) => {
      const random = seededRandom(5, name);
      const base = initializer(shape, random);
      const data = name.endsWith("kernel") ? base : base.map((value) => value + 0.4 * (random() - 0.5));
      return [name, { shape, data }] as const;
    });
    return new Map(values);
  }

  async function skips(denseBlocks: Blocks, variables: Variables): Promise<Record<string, Float32Array>> {
    const graph = new Graph();
    const outputs = encode(graph.input("image", shape), denseNet121, { ...using, denseBlocks }).taps;
    const program = await compile(gpu(), { outputs: { ...outputs }, variables });
    try {
      return (await program.run({ image })) as Record<string, Float32Array>;
    } finally {
      program.destroy();
    }
  }

  it("has the same skips of the same variables", async () => {
    const first = new Variables(gpu(), { values: someValues() });
    const fused = await skips("fused", first);
    const values = await first.readAll();
    const second = new Variables(gpu(), { values });
    const plain = await skips("plain", second);
    first.destroy();
    second.destroy();
    expect(Object.keys(fused)).toEqual(["conv1/relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"]);
    for (const [name, expected] of Object.entries(plain)) expectClose(fused[name], expected, 1e-5, name);
  });

  // Layer by layer, gradients are compared in the op's own tests.
  it.skipIf(isQuick)(inTestAll("learns alike"), async () => {
    // Of fewer images, the last block has so few pixels that the last bits of a float turn whole normalized channels over.
    const batch = 8;
    const image = randomInput([batch, 32, 32, 3], 1).data.map((value) => 0.5 + value / 4);
    const labels = Uint32Array.from({ length: batch }, (_, i) => 31 * i + 3);
    const compared = ["conv1/conv/kernel", "pool2_conv/kernel", "pool4_conv/kernel", "fc1000/kernel"];
    const learn = async (denseBlocks: Blocks): Promise<Record<string, Float32Array>[]> => {
      const graph = new Graph();
      const input = graph.input("image", [batch, 32, 32, 3]);
      const { top } = encode(input, denseNet121, { ...learning, denseBlocks, top: true });
      const loss = sparseSoftmaxCrossEntropy(top!, graph.input("labels", [batch], "u32"));
      const found = gradients(loss);
      const some = [...found].filter(([{ name }]) => compared.includes(name));
      const outputs = { loss, ...Object.fromEntries(some.map(([{ name }, gradient]) => [name, gradient])) };
      const program = await compile(gpu(), { outputs, updates: rmsprop(found, { learningRate: 1e-4 }) });
      const steps: Record<string, Float32Array>[] = [];
      for (let step = 0; step < 4; step++)
        steps.push((await program.run({ image, labels })) as Record<string, Float32Array>);
      program.destroy();
      return steps;
    };
    const fused = await learn("fused");
    const plain = await learn("plain");
    expectClose(fused[0].loss, plain[0].loss);
    for (const name of compared) expectClose(fused[0][name], plain[0][name], 5e-4, name);
    for (const steps of [fused, plain]) {
      const losses = steps.map(({ loss }) => loss[0]);
      expect(losses).toEqual(losses.toSorted((a, b) => b - a));
      expect(losses[3]).toBeLessThan(0.95 * losses[0]);
    }
  });
});
