import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import type { Tensor } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { add } from "../../../src/graph/ops/add.ts";
import { batchNormTraining } from "../../../src/graph/ops/batch-norm.ts";
import { biasAdd } from "../../../src/graph/ops/bias.ts";
import { channelSum } from "../../../src/graph/ops/channel-reduction.ts";
import { conv2d } from "../../../src/graph/ops/conv2d.ts";
import { conv2dTranspose } from "../../../src/graph/ops/conv2d-transpose.ts";
import { depthwiseConv2d } from "../../../src/graph/ops/depthwise-conv2d.ts";
import { channelMoments } from "../../../src/graph/ops/moments.ts";
import type { Moments } from "../../../src/graph/ops/moments.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import { plan } from "../../../src/graph/plan.ts";
import { compile } from "../../../src/graph/compile.ts";
import type { CompileOptions } from "../../../src/graph/compile.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { expectClose } from "../../helpers/close.ts";
import { dotProduct, finiteDifferences } from "../../helpers/finite-differences.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { runOp } from "../../helpers/op.ts";
import { paperTarget } from "../../helpers/target.ts";
import { randomInput, tfjsReference } from "../../helpers/tfjs-reference.ts";

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
    known: true,
  },
  "a depthwise convolution of odd channels": {
    x: [3, 5, 7, 6],
    kernel: [3, 3, 6, 1],
    make: (x, kernel) => depthwiseConv2d(x, kernel, same),
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

describe("the gradient of channelMoments", () => {
  const inputs = [randomInput([3, 2, 5, 6], 1)];
  const { data: dy } = randomInput([6], 2);
  /** Mean and variance, each as far as it is asked for. */
  const ours =
    (parts: readonly (keyof Moments)[]) =>
    (x: Tensor): Tensor => {
      const moments = channelMoments(x);
      return parts.map((part) => moments[part]).reduce(add);
    };

  it.each<(keyof Moments)[][]>([[["mean"]], [["variance"]], [["mean", "variance"]]])(
    "of %j is tfjs's, whole and in pieces",
    async (parts) => {
      const theirs = (x: tf.Tensor): tf.Tensor => {
        const moments = tf.moments(x, [0, 1, 2]);
        return tf.addN(parts.map((part) => moments[part]));
      };
      const expected = tfjsReference(theirs, inputs, dy);
      for (const options of [{}, { maxBindingBytes: 4 * 2 * 2 * 5 * 6 }, { family: "workgroup" as const }]) {
        const actual = await runOp(gpu(), ours(parts), inputs, dy, options);
        expectClose(actual.y, expected.y);
        expectClose(actual.gradients[0], expected.gradients[0]);
      }
    },
  );

  it("is that of finite differences", async () => {
    const { gradients } = await runOp(gpu(), ours(["mean", "variance"]), inputs, dy);
    const loss = ([x]: readonly Float64Array[]): number => {
      const channels = Array.from(dy, (_, channel) => x.filter((_, i) => i % dy.length === channel));
      return dotProduct(
        channels.map((values) => {
          const mean = values.reduce((a, b) => a + b) / values.length;
          return mean + values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
        }),
        dy,
      );
    };
    expectClose(gradients[0], finiteDifferences(loss, [inputs[0].data])[0]);
  });

  it.each(["a convolution", "a transposed convolution"])(
    "joins what comes by %s itself, where that has found them",
    async (name) => {
      const { x, kernel, make } = CASES[name];
      const images = [randomInput(x, 1), randomInput(kernel, 2)];
      const { data: dy } = randomInput([12], 3);
      const run = (seen: (y: Tensor) => Tensor) =>
        runOp(
          gpu(),
          (x, kernel) => {
            const y = make(x, kernel);
            const { mean, variance } = channelMoments(seen(y));
            return add(add(mean, variance), scale(channelSum(y), 1e-2));
          },
          images,
          dy,
        );
      const [own, copied] = [await run((y) => y), await run((y) => scale(y, 1))];
      own.gradients.forEach((gradient, i) => expectClose(gradient, copied.gradients[i]!));
    },
  );

  it("adds to that of a batch norm, which accounts for its own", async () => {
    const images = [randomInput([2, 3, 4, 8], 1), randomInput([8], 2), randomInput([8], 3)];
    const { data: dy } = randomInput([2, 3, 4, 8], 4);
    const ours = (x: Tensor, gamma: Tensor, beta: Tensor): Tensor => {
      const [mean, variance] = ["mean", "variance"].map((name) => x.graph.state(name, [8], zeros));
      const y = batchNormTraining(x, gamma, beta, mean, variance, { epsilon: 1e-3, momentum: 0.9 });
      return biasAdd(y, channelMoments(x).variance);
    };
    const theirs = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      const normalized = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3)));
      return tf.add(tf.add(tf.mul(normalized, gamma), beta), variance);
    };
    const actual = await runOp(gpu(), ours, images, dy);
    const expected = tfjsReference(theirs, images, dy);
    expectClose(actual.y, expected.y);
    expected.gradients.forEach((gradient, i) => expectClose(actual.gradients[i], gradient));
  });
});
