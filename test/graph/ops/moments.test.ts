import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { conv2dTranspose } from "../../../src/graph/ops/conv2d-transpose.ts";
import { channelMoments } from "../../../src/graph/ops/moments.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/program.ts";
import type { CompileOptions } from "../../../src/graph/program.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput } from "../../helpers/tfjs-reference.ts";

const gpu = useGpu();

const same = { strides: 1, padding: "same" } as const;
const up = { strides: 2, padding: "same" } as const;

interface Case {
  readonly x: Shape;
  readonly kernel: Shape;
  readonly make: (x: Tensor, kernel: Tensor) => Tensor;
  /** Whether the convolution finds the moments of its result. */
  readonly known: boolean;
}

const CASES: Record<string, Case> = {
  "a convolution": {
    x: [3, 5, 7, 5],
    kernel: [3, 3, 5, 12],
    make: (x, kernel) => conv2d(x, kernel, same),
    known: true,
  },
  "a convolution of odd channels": {
    x: [3, 5, 7, 5],
    kernel: [3, 3, 5, 6],
    make: (x, kernel) => conv2d(x, kernel, same),
    known: false,
  },
  "a transposed convolution": {
    x: [3, 5, 7, 8],
    kernel: [3, 3, 12, 8],
    make: (x, kernel) => conv2dTranspose(x, kernel, up),
    known: true,
  },
  "a transposed convolution whose phases are no equals": {
    x: [3, 5, 7, 8],
    kernel: [3, 3, 12, 8],
    make: (x, kernel) => conv2dTranspose(x, kernel, { strides: 2, padding: "valid" }),
    known: false,
  },
  "a transposed convolution with a phase without taps": {
    x: [3, 5, 7, 8],
    kernel: [1, 1, 12, 8],
    make: (x, kernel) => conv2dTranspose(x, kernel, up),
    known: true,
  },
};

function build({ x, kernel, make }: Case): {
  y: Tensor;
  own: Record<string, Tensor>;
  copied: Record<string, Tensor>;
} {
  const graph = new Graph();
  const y = make(graph.input("x", x), graph.input("kernel", kernel));
  return { y, own: { ...channelMoments(y) }, copied: { ...channelMoments(scale(y, 1)) } };
}

const labels = (outputs: Record<string, Tensor>): string[] =>
  plan({ outputs }, paperTarget).dispatches.map(({ kernel }) => kernel.label);

describe("channelMoments", () => {
  it.each(Object.entries(CASES))("of %s reads its result again only where it must", (_, each) => {
    const { y, own, copied } = build(each);
    expect(labels(own).includes("moments")).toBe(!each.known);
    expect(labels(own).includes("merge_tile_moments")).toBe(each.known);
    expect(labels(copied)).toContain("moments");
    // What nobody asks for is not found.
    expect(labels({ y })).toHaveLength(1);
    expect(labels({ y, mean: own.mean })).toEqual(labels({ y, ...own }));
  });

  it.each(Object.entries(CASES))("of %s is that of a copy of it", async (_, each) => {
    const feeds = {
      x: randomInput(each.x, 1).data.map((value) => value + 3),
      kernel: randomInput(each.kernel, 2).data.map((value) => value / 4 + 0.2),
    };
    const run = async (
      pick: (built: ReturnType<typeof build>) => Record<string, Tensor>,
      options: Partial<CompileOptions> = {},
    ): Promise<Record<string, Float32Array>> => {
      const program = await compile(gpu(), { outputs: pick(build(each)), ...options });
      try {
        return (await program.run(feeds)) as Record<string, Float32Array>;
      } finally {
        program.destroy();
      }
    };
    const expected = await run(({ copied, y }) => ({ ...copied, y }));
    const variants: Partial<CompileOptions>[] = [
      { family: "register" },
      { family: "register", subgroupSize: 0 },
      // Image by image, or two by two where bindings must begin at multiples of 256 bytes.
      { maxBindingBytes: 4 * Math.max(...[each.x, [1, 11, 15, 12]].map(([, h, w, c]) => 2 * h * w * c)) },
    ];
    for (const options of variants) {
      const { y, mean, variance } = await run(({ own, y }) => ({ ...own, y }), options);
      expectClose(y, expected.y);
      expectClose(mean, expected.mean, 1e-6, "the mean");
      expectClose(variance, expected.variance, 1e-5, "the variance");
    }
  });
});
