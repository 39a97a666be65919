import { expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { activation } from "../../src/graph/ops/activation.ts";
import { compile } from "../../src/graph/compile.ts";
import { batchNormalization } from "../../src/layers/batch-normalization.ts";
import type { ActivationKind } from "../../src/kernels/text/activation.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";
import { randomInput } from "../helpers/tfjs-reference.ts";

const gpu = useGpu();

it("with an activation is what a BatchNormalization followed by that Activation is, in training and in use", async () => {
  const graph = new Graph();
  const { shape, data } = randomInput([3, 2, 2, 4], 1);
  const x = graph.input("x", shape);
  const norm = (name: string, training: boolean, kind?: ActivationKind): Tensor =>
    batchNormalization(x, name, {
      training,
      trainable: true,
      epsilon: 1e-3,
      momentum: 0.9,
      activation: kind,
    });
  const outputs = {
    together: norm("a", true, "swish"),
    apart: activation(norm("b", true), "swish"),
    togetherInUse: norm("c", false, "hard_swish"),
    apartInUse: activation(norm("d", false), "hard_swish"),
  };
  const program = await compile(gpu(), { outputs });
  try {
    const y = await program.run({ x: data });
    expectClose(y.together, y.apart);
    expectClose(y.togetherInUse, y.apartInUse);
    // As x·sigmoid(x) has it, and a ReLU has not.
    const least = Math.min(...y.together);
    expect(least).toBeLessThan(-0.1);
    expect(least).toBeGreaterThan(-0.279);
  } finally {
    program.destroy();
  }
});
