import { lossScaleStep } from "../../kernels/loss-scale.ts";
import type { Graph, Tensor } from "../graph.ts";
import { constant, zeros } from "../initializers.ts";
import { globalNorm } from "../ops/global-norm.ts";
import { OPTIMIZER } from "./optimizer.ts";

/** Where the scale begins and how it moves. */
export interface LossScalingOptions {
  /** The scale at first; Keras's default is 2¹⁵. */
  readonly initial?: number;
  /** Steps in a row without an overflow after which it doubles; Keras's default is 2,000. */
  readonly growthSteps?: number;
  /** The largest global norm of the gradients (see `clipByGlobalNorm`); null, the default, for any. */
  readonly clipNorm?: number | null;
  /** Part of the names of its variables; another name is another, fresh scale. */
  readonly name?: string;
}

/** The scale of a loss; see {@link lossScaling}. */
export interface LossScaling {
  /** What the loss is to be multiplied by before it is differentiated: a scalar variable. */
  readonly scale: Tensor;
  /**
   * Looks at the gradients that came of it and moves the scale for the next step; to be called once.
   *
   * @param gradients of each parameter, of the scaled loss.
   */
  check(gradients: ReadonlyMap<Tensor, Tensor>): CheckedGradients;
}

/** What was found in gradients of a scaled loss. */
export interface CheckedGradients {
  /** What an optimizer takes as its `gradientScale`: 0 where a gradient is not finite, so that the step is skipped. */
  readonly factor: Tensor;
  /** Global norm of the gradients as they would be unscaled and before clipping; not finite where one of them is not. */
  readonly norm: Tensor;
  /**
   * 1 where a gradient is not finite although the scale is 1, else 0: what overflows is not the gradients, and no smaller
   * scale will help.
   */
  readonly exhausted: Tensor;
}

/**
 * Dynamic loss scaling (Micikevicius et al. 2018, "Mixed Precision Training"; Keras `LossScaleOptimizer`), for gradients that
 * are stored in f16, where what is below 6e-8 is lost. The loss is multiplied by a scale; the optimizer divides the
 * gradients by it again. Where they overflow, the step is skipped and the scale halved; it doubles after many steps without.
 *
 *     const scaling = lossScaling(graph);
 *     const scaled = gradients(scale(loss, scaling.scale));
 *     const updates = rmsprop(scaled, { learningRate, gradientScale: scaling.check(scaled).factor });
 *
 * Its variables are `<name>/scale` and `<name>/good_steps`, both scalars.
 *
 * @throws Error when an option is out of range.
 */
export function lossScaling(
  graph: Graph,
  { initial = 2 ** 15, growthSteps = 2000, clipNorm = null, name = "loss_scale" }: LossScalingOptions = {},
): LossScaling {
  if (!(initial >= 1 && Number.isFinite(initial)))
    throw new Error(`lossScaling: initial must be a number from 1, and ${initial} is not.`);
  if (!Number.isInteger(growthSteps) || growthSteps < 1)
    throw new Error(`lossScaling: growthSteps must be a whole number from 1, and ${growthSteps} is not.`);
  if (clipNorm !== null && !(clipNorm > 0 && Number.isFinite(clipNorm)))
    throw new Error(`lossScaling: clipNorm must be a number above 0, and ${clipNorm} is not.`);
  const scale = graph.state(`${name}/scale`, [], constant(initial), OPTIMIZER);
  const goodSteps = graph.state(`${name}/good_steps`, [], zeros, OPTIMIZER);
  return {
    scale,
    check(gradients) {
      const norm = globalNorm([...gradients.values()]);
      const scalar = { shape: [], dtype: "f32" } as const;
      const [factor, trueNorm, exhausted] = graph.apply(
        {
          name: "loss_scale",
          family: "optimizer",
          outputs: [scalar, scalar, scalar],
          updates: [scale, goodSteps],
          lower: (l, [factor, trueNorm, exhausted]) =>
            l.dispatch(lossScaleStep(l.target, { growthSteps, clipNorm }), {
              ...{ norm, scale, goodSteps, factor, trueNorm, exhausted },
            }),
        },
        [norm, scale, goodSteps],
      ).outputs;
      return { factor, norm: trueNorm, exhausted };
    },
  };
}
