import { describe, it } from "vitest";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { KINDS, blockNumbers, numbersOf, runBlock } from "./block.ts";
import type { Block, BlockNumbers } from "./block.ts";
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
  // Only the array that holds number i of its kind changes.
  let first = 0;
  let moved: readonly [Float32Array, Float32Array] | undefined;
  for (const values of KINDS[kind](numbers)) {
    const at = i - first;
    if (at >= 0 && at < values.length) moved = [values, change(values, at)];
    first += values.length;
  }
  const swap = <T>(value: T): T =>
    (value === moved![0]
      ? moved![1]
      : Array.isArray(value)
        ? value.map(swap)
        : value && typeof value === "object" && !ArrayBuffer.isView(value)
          ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, swap(each)]))
          : value) as T;
  return swap(numbers);
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
    tolerance: 1e-3,
  },
};

describe.each(Object.entries(BLOCKS))(
  "the gradient of a dense block of %s",
  (_, { block, samples, tolerance }) => {
    it.each(["x", ...Object.keys(KINDS)])(
      "by %s is that of differences in double precision",
      async (kind) => {
        const numbers = blockNumbers(block);
        const results = await runBlock(gpu(), block, { training: true, numbers });
        const count = kind === "x" ? numbers.x.length : numbersOf(numbers, kind).length;
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
