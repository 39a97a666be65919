import type { Tensor } from "../graph/graph.ts";
import { ones, zeros } from "../graph/initializers.ts";
import { fill } from "../graph/ops/fill.ts";
import { batchNormInference, batchNormTraining } from "../graph/ops/batch-norm.ts";
import type { ActivationKind } from "../kernels/text/activation.ts";
import type { Mode } from "./layer.ts";

/** How a batch norm is built. */
export interface BatchNormalizationOptions extends Mode {
  /** Added to the variance; Keras's default is 1e-3. */
  readonly epsilon: number;
  /** Share of the moving statistics that a step keeps. */
  readonly momentum: number;
  /** Without it there is no `gamma`; with it by default. */
  readonly scale?: boolean;
  /** Of an `Activation` that follows, applied in the same kernels; linear by default. */
  readonly activation?: ActivationKind | undefined;
}

/** Keras `BatchNormalization` over the last axis, with `gamma`, `beta`, `moving_mean`, `moving_variance` `[C]`. */
export function batchNormalization(x: Tensor, name: string, options: BatchNormalizationOptions): Tensor {
  const { training, trainable, group, epsilon, momentum, activation, scale = true } = options;
  const shape = x.shape.slice(-1);
  const gamma = scale
    ? x.graph.parameter(`${name}/gamma`, shape, ones, { trainable, group })
    : fill(x.graph, shape, 1);
  const beta = x.graph.parameter(`${name}/beta`, shape, zeros, { trainable, group });
  const mean = x.graph.state(`${name}/moving_mean`, shape, zeros, { group });
  const variance = x.graph.state(`${name}/moving_variance`, shape, ones, { group });
  return training && trainable
    ? batchNormTraining(x, gamma, beta, mean, variance, { epsilon, momentum, activation })
    : batchNormInference(x, gamma, beta, mean, variance, { epsilon, activation });
}
