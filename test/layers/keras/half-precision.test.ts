import { expect, it } from "vitest";
import { compile } from "../../../src/graph/compile.ts";
import { gradients } from "../../../src/graph/gradients.ts";
import { Graph } from "../../../src/graph/graph.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import { mean } from "../../../src/graph/ops/reduce.ts";
import { square } from "../../../src/graph/ops/unary.ts";
import { Variables } from "../../../src/graph/variables.ts";
import {
  dense,
  groupNormalization,
  layerNormalization,
  multiHeadAttention,
  sequential,
} from "../../../src/layers.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();

it.for(["register", "workgroup"] as const)(
  "a block of attention on f16 is near that on f32, gradients too, in %s kernels",
  async (family, { skip }) => {
    skip(
      !gpu().features.has("shader-f16"),
      `${gpu().adapterName} has no half-precision numbers (shader-f16).`,
    );
    const input = randomInput([2, 8, 16], 1);
    using variables = new Variables(gpu(), { seed: 1 });
    const run = async (half: boolean): Promise<Record<string, Float32Array | Uint32Array>> => {
      const graph = new Graph();
      const x = graph.input("x", input.shape);
      const model = sequential([
        layerNormalization(),
        multiHeadAttention(2, 8, { useCausalMask: true }),
        groupNormalization({ groups: 4 }),
        dense(16, { activation: "gelu" }),
      ]);
      const y = model(half ? cast(x, "f16") : x);
      expect(y.dtype).toBe(half ? "f16" : "f32");
      const found = gradients(mean(square(y)));
      const outputs = {
        y: cast(y, "f32"),
        ...Object.fromEntries([...found].map(([variable, gradient]) => [variable.name, gradient])),
      };
      using program = await compile(gpu(), { outputs, variables, family });
      return program.run({ x: input.data });
    };
    const [expected, actual] = [await run(false), await run(true)];
    for (const [name, values] of Object.entries(expected)) {
      // That of the keys' bias is 0 but for rounding.
      if (!name.endsWith("key/bias")) expectClose(actual[name], values, 5e-3, name);
    }
  },
);
