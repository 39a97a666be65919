import { copyNumbers } from "../../kernels/copy.ts";
import type { Tensor } from "../graph.ts";
import { sizeOf } from "../shape.ts";
import { elementwise } from "./elementwise.ts";
import { fill } from "./fill.ts";
import type { Moments } from "./moments.ts";

/** What `RunOptions.onHost` is asked of `synchronizedBatchNorm` in the forward pass: mean and variance `[C]` become those of the batches of all. */
export const MOMENTS_OF_ALL = "moments of all batches";

/**
 * What it is asked in the backward pass: of the gradients by mean and variance `[C]` each becomes its sum over the batches of all, times the share that this one has of all their
 * images.
 */
export const MOMENT_GRADIENTS_OF_ALL = "gradients by moments of all batches";

/**
 * Mean and biased variance of the batches of several processes together, of those of the own one, both `[C]`: whoever runs the program
 * sees to it (`RunOptions.onHost`), and without they stay as they are.
 *
 * Gradients flow through them to all batches. With w, the share of this batch, and of the sums Dm and Dv of what all processes find as
 * gradients by mean and variance: w·(Dm + 2·(own mean − mean)·Dv) by the own mean, and w·Dv by the own variance. So every process must
 * take its part of one loss, and not a loss of its own.
 */
export function synchronizedMoments(own: Moments): Moments {
  const { graph } = own.mean;
  const node = graph.apply(
    {
      name: "synchronized_moments",
      family: "normalization",
      outputs: [own.mean, own.variance],
      onHost: MOMENTS_OF_ALL,
      lower(l, outputs) {
        [own.mean, own.variance].forEach((x, i) =>
          l.dispatch(copyNumbers(l.target, sizeOf(x.shape)), { x, y: outputs[i] }),
        );
      },
      gradient([dmean, dvariance], [mean]) {
        let made: readonly Tensor[] | undefined;
        const sums = (): readonly Tensor[] => (made ??= sumsOf(own, [dmean, dvariance]));
        return [() => meanGradient(own.mean, mean, sums()), () => sums()[1]];
      },
    },
    [own.mean, own.variance],
  );
  return { mean: node.outputs[0], variance: node.outputs[1] };
}

/** What all processes have found as gradients by the moments, each sum times the share of this batch. */
function sumsOf(own: Moments, gradients: readonly (Tensor | null)[]): readonly Tensor[] {
  const { graph, shape } = own.mean;
  const found = gradients.map((gradient) => gradient ?? fill(graph, shape, 0));
  return graph.apply(
    {
      name: "synchronized_moment_gradients",
      family: "normalization",
      outputs: [own.mean, own.variance],
      onHost: MOMENT_GRADIENTS_OF_ALL,
      lower(l, outputs) {
        found.forEach((x, i) => l.dispatch(copyNumbers(l.target, sizeOf(shape)), { x, y: outputs[i] }));
      },
    },
    found,
  ).outputs;
}

const meanGradient = (own: Tensor, mean: Tensor, [dmean, dvariance]: readonly Tensor[]): Tensor =>
  elementwise("synchronized_mean_gradient", "a + 2.0 * (b - c) * e", {
    a: dmean,
    b: own,
    c: mean,
    e: dvariance,
  });
