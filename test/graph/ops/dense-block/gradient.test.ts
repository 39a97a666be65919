import { describe, expect, it } from "vitest";
import type { Plan } from "../../../../src/graph/plan.ts";
import { expectClose } from "../../../helpers/close.ts";
import { useGpu } from "../../../helpers/gpu.ts";
import { STACKS, blockNumbers, runBlock, stackOf } from "./block.ts";
import type { Block, BlockNumbers, LayerNumbers } from "./block.ts";
import { referenceLoss } from "./reference.ts";

const gpu = useGpu();

/** `numbers` with number `i` of a kind of parameters, or of x, moved by `step`, in double precision. */
function moved(numbers: BlockNumbers, kind: string, i: number, step: number): BlockNumbers {
  // The reference takes any numbers; a Float32Array would swallow the step.
  const change = (values: Float32Array, at: number): Float32Array => {
    const copy = Float64Array.from(values);
    copy[at] += step;
    return copy as unknown as Float32Array;
  };
  if (kind === "x") return { ...numbers, x: change(numbers.x, i) };
  let first = 0;
  return {
    ...numbers,
    layers: numbers.layers.map((layer) => {
      const values = STACKS[kind](layer);
      const at = i - first;
      first += values.length;
      return at >= 0 && at < values.length ? replaced(layer, kind, change(values, at)) : layer;
    }),
  };
}

function replaced(layer: LayerNumbers, kind: string, values: Float32Array): LayerNumbers {
  if (kind === "kernel1" || kind === "kernel2") return { ...layer, [kind]: values };
  const norm = kind.endsWith("1") ? "norm1" : "norm2";
  return { ...layer, [norm]: { ...layer[norm], [kind.slice(0, -1)]: values } };
}

const BLOCKS: Record<string, { block: Block; samples: number; tolerance: number }> = {
  "three layers": {
    block: { x: [2, 3, 5, 8], layers: 3, growth: 4, bottleneck: 8 },
    samples: 16,
    tolerance: 1e-5,
  },
  "one layer, one pixel an image": {
    block: { x: [5, 1, 1, 12], layers: 1, growth: 8, bottleneck: 4 },
    samples: 50,
    tolerance: 1e-5,
  },
  // Of two pixels each normalized one is ±1, whatever they are: what is left of the gradients is a small difference.
  "two layers, two pixels": {
    block: { x: [2, 1, 1, 8], layers: 2, growth: 4, bottleneck: 8 },
    samples: 200,
    tolerance: 1e-4,
  },
};

describe.each(Object.entries(BLOCKS))(
  "the gradient of a dense block of %s",
  (_, { block, samples, tolerance }) => {
    it.each(["x", ...Object.keys(STACKS)])(
      "by %s is that of differences in double precision",
      async (kind) => {
        const numbers = blockNumbers(block);
        const results = await runBlock(gpu(), block, "fused", { training: true, numbers });
        const count = kind === "x" ? numbers.x.length : stackOf(numbers, kind).length;
        const taken = Math.min(count, samples);
        const picked = Array.from({ length: taken }, (_, i) => Math.floor(((i + 0.5) * count) / taken));
        // So small that no ReLU turns over on the way.
        const step = 1e-6;
        const differences = picked.map((i) => {
          const loss = (by: number): number => referenceLoss(block, moved(numbers, kind, i, by));
          return (loss(step) - loss(-step)) / (2 * step);
        });
        expectClose(
          picked.map((i) => results[`d${kind}`][i]),
          differences,
          tolerance,
          `the gradient by ${kind}`,
        );
      },
    );
  },
);

describe("the gradient of a dense block", () => {
  it("by its parameters is the same where nobody asks for that by its input, which then costs nothing", async () => {
    const { block } = BLOCKS["three layers"];
    const labels = ({ dispatches }: Plan): string[] => dispatches.map(({ kernel }) => kernel.label);
    const seen: string[][] = [];
    const inspect = (plan: Plan): number => seen.push(labels(plan));
    const { dx, ...parameters } = await runBlock(gpu(), block, "fused", { training: true, inspect });
    const alone = await runBlock(gpu(), block, "fused", { training: true, inspect, ofInput: false });
    expect(dx).toBeDefined();
    expect(alone).toEqual(parameters);
    expect(seen[0]).toContain("shared_norm_input_gradient");
    expect(seen[1]).not.toContain("shared_norm_input_gradient");
  });
});
