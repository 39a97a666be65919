/** @file Norms. What they learn is `gamma` and `beta` of the channels, the last axis. */
import { ones, zeros } from "../../graph/initializers.ts";
import type { Initializer } from "../../graph/initializers.ts";
import { batchNormInference, batchNormTraining } from "../../graph/ops/batch-norm.ts";
import { fill } from "../../graph/ops/fill.ts";
import { groupNormalization as groupNorm } from "../../graph/ops/group-normalization.ts";
import { layerNormalization as layerNorm } from "../../graph/ops/layer-normalization.ts";
import type { Tensor } from "../../graph/graph.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import { defineLayer } from "./layer.ts";
import type { Layer, LayerOptions, LayerScope } from "./layer.ts";

/** What all norms take. */
export interface NormalizationOptions extends LayerOptions {
  /** Added to the variance; 1e-3 by default, as in Keras. */
  readonly epsilon?: number | undefined;
  /** Whether there is a `beta`, as by default. */
  readonly center?: boolean | undefined;
  /** Whether there is a `gamma`, as by default. */
  readonly scale?: boolean | undefined;
  /** `ones` by default. */
  readonly gammaInitializer?: Initializer | undefined;
  /** `zeros` by default. */
  readonly betaInitializer?: Initializer | undefined;
}

/** What {@link batchNormalization} takes. */
export interface BatchNormalizationOptions extends NormalizationOptions {
  /** Share of the moving statistics that a step keeps; 0.99 by default, as in Keras. */
  readonly momentum?: number | undefined;
  /** What follows in the same kernels; in Keras, and in a `sequential` here too, an `activation` layer behind it. `linear` by default. */
  readonly activation?: ActivationKind | undefined;
}

function vectors(
  x: Tensor,
  scope: LayerScope,
  { center = true, scale = true, gammaInitializer = ones, betaInitializer = zeros }: NormalizationOptions,
): { gamma: Tensor | undefined; beta: Tensor | undefined } {
  const shape = x.shape.slice(-1);
  return {
    gamma: scale ? scope.parameter("gamma", shape, gammaInitializer) : undefined,
    beta: center ? scope.parameter("beta", shape, betaInitializer) : undefined,
  };
}

/**
 * Keras `BatchNormalization` over the last axis. In training by mean and biased variance of the batch, towards which `moving_mean` and
 * `moving_variance` move; otherwise, and where it is frozen, by these.
 *
 * @throws Error when it is applied to a tensor without a batch.
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): Layer {
  const { epsilon = 1e-3, momentum = 0.99, activation: own = "linear" } = options;
  const layer = defineLayer("batch_normalization", options, (x, scope, call) => {
    const { training = false, activation = own } = call;
    const shape = x.shape.slice(-1);
    const made = vectors(x, scope, options);
    const gamma = made.gamma ?? fill(x.graph, shape, 1);
    const beta = made.beta ?? fill(x.graph, shape, 0);
    const mean = scope.state("moving_mean", shape, zeros);
    const variance = scope.state("moving_variance", shape, ones);
    return training && scope.trainable
      ? batchNormTraining(x, gamma, beta, mean, variance, { epsilon, momentum, activation })
      : batchNormInference(x, gamma, beta, mean, variance, { epsilon, activation });
  });
  return own === "linear" ? Object.assign(layer, { appliesActivation: true }) : layer;
}

/**
 * Keras `LayerNormalization` over the last axis: by mean and variance of each row of channels.
 *
 * @throws Error when it is applied to a tensor without a batch.
 */
export function layerNormalization(options: NormalizationOptions = {}): Layer {
  const { epsilon } = options;
  return defineLayer("layer_normalization", options, (x, scope) =>
    layerNorm(x, { ...vectors(x, scope, options), epsilon }),
  );
}

/** What {@link groupNormalization} takes. */
export interface GroupNormalizationLayerOptions extends NormalizationOptions {
  /** Groups of neighbouring channels, 32 by default; as many as channels for an instance norm. */
  readonly groups?: number | undefined;
}

/**
 * Keras `GroupNormalization` over the last axis: by mean and variance of each group of channels over all pixels of an item.
 *
 * @throws Error when it is applied to a tensor whose channels the groups do not divide.
 */
export function groupNormalization(options: GroupNormalizationLayerOptions = {}): Layer {
  const { epsilon, groups = 32 } = options;
  return defineLayer("group_normalization", options, (x, scope) =>
    groupNorm(x, { ...vectors(x, scope, options), groups, epsilon }),
  );
}
