/**
 * @file Batch norm of `x` `[rows, C]` (NHWC: rows are pixels) with a mean and a variance `[C]` that are given:
 * `x̂ = (x − mean) / sqrt(variance + epsilon)`, `z = γ·x̂ + β`, and `y = activation(z)`.
 *
 * The backward kernels compute z again from x instead of reading y: by the same words, so that `z > 0` just where the
 * forward kernel found it, and it saves reading the whole of y.
 */
import { activationGradientText, activationText } from "./text/activation.ts";
import type { ActivationKind } from "./text/activation.ts";
import { channelWalk, walkText } from "./text/channels.ts";
import type { ChannelWalk } from "./text/channels.ts";
import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

export interface BatchNormKernelOptions {
  readonly epsilon: number;
  /** What is applied to the result in the same kernel. */
  readonly activation?: ActivationKind | undefined;
}

const CHANNEL = {
  mean: "let centre = load_mean(column);",
  variance: "let inverse = 1.0 / sqrt(load_variance(column) + T(params.epsilon));",
  gamma: "let weight = load_gamma(column);",
  beta: "let offset = load_beta(column);",
};
const NORMALIZED = "let normalized = (load_x(at) - centre) * inverse;";
const OUTPUT = "let z = normalized * weight + offset;";
/** What the activation leaves of dy; a linear one is none. */
const gradientText = (activation: ActivationKind): string =>
  `let dy = load_dy(at);\n  let dz = ${activationGradientText(activation, "z", "dy", "T")};`;
/** The activation that needs z: a linear one is none. */
const bent = (activation?: ActivationKind): ActivationKind | null =>
  activation && activation !== "linear" ? activation : null;

const lines = (...text: (string | false)[]): string => text.filter((line) => line !== false).join("\n  ");
const arrays = (type: string, names: readonly (string | false)[]): Record<string, string> =>
  Object.fromEntries(names.filter((name) => name !== false).map((name) => [name, `array<${type}>`]));

/** `y` from `x`, both `[rows, C]`; `mean`, `variance`, `gamma` and `beta`: `[C]`. */
export function batchNormForward(
  target: KernelTarget,
  rows: number,
  channels: number,
  { epsilon, activation = "linear" }: BatchNormKernelOptions,
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  return defineKernel({
    label: bent(activation) ? `batch_norm_${activation}` : "batch_norm",
    read: arrays(walk.type, ["x", "mean", "variance", "gamma", "beta"]),
    write: arrays(walk.type, ["y"]),
    params: { ...walk.params, epsilon: f32(epsilon) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: lines(CHANNEL.mean, CHANNEL.variance, CHANNEL.gamma, CHANNEL.beta),
      row: lines(NORMALIZED, OUTPUT, `store_y(at, ${activationText(activation, "z", "T")});`),
    }),
  });
}

/**
 * The sums over rows that are the gradients of γ and β, by partial of `walk`: `dgamma` = Σ dz·x̂ and `dbeta` = Σ dz,
 * `[.., C]`, written from row `firstPartial` on; `dz` is `dy` where the activation lets it through.
 */
export function batchNormParameterGradients(
  walk: ChannelWalk,
  firstPartial: number,
  { epsilon, activation }: BatchNormKernelOptions,
): Kernel {
  const bends = bent(activation);
  return defineKernel({
    label: `batch_norm${bends ? `_${bends}` : ""}_parameter_gradients`,
    read: arrays(walk.type, [
      "x",
      "dy",
      "mean",
      "variance",
      bends !== null && "gamma",
      bends !== null && "beta",
    ]),
    write: arrays(walk.type, ["dgamma", "dbeta"]),
    params: { ...walk.params, firstPartial: u32(firstPartial), epsilon: f32(epsilon) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: lines(
        CHANNEL.mean,
        CHANNEL.variance,
        bends !== null && CHANNEL.gamma,
        bends !== null && CHANNEL.beta,
        "var sumGamma = T(0.0);\n  var sumBeta = T(0.0);",
      ),
      row: lines(
        NORMALIZED,
        bends !== null && OUTPUT,
        bends ? gradientText(bends) : "let dz = load_dy(at);",
        "sumGamma += dz * normalized;\n  sumBeta += dz;",
      ),
      end: /* wgsl */ `
  let to = (params.firstPartial + partialIndex) * params.columns + column;
  store_dgamma(to, sumGamma);
  store_dbeta(to, sumBeta);`,
    }),
  });
}

/**
 * `dx` from `dy`, both `[rows, C]`. With `batchRows`, the number n of rows in the whole batch, mean and variance are
 * those of the batch and depend on x: `dx = γ·s·(dz − (dβ + x̂·dγ)/n)`, s = 1/sqrt(variance + ε), and the kernel also
 * reads the finished `dgamma` and `dbeta` `[C]`. Without it they are constants: `dx = γ·s·dz`.
 */
export function batchNormInputGradient(
  target: KernelTarget,
  rows: number,
  channels: number,
  { epsilon, activation, batchRows }: BatchNormKernelOptions & { readonly batchRows?: number },
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  const bends = bent(activation);
  const batch = batchRows !== undefined;
  return defineKernel({
    label: `batch_norm${bends ? `_${bends}` : ""}_input_gradient${batch ? "_of_batch" : ""}`,
    read: arrays(walk.type, [
      (bends !== null || batch) && "x",
      "dy",
      (bends !== null || batch) && "mean",
      "variance",
      "gamma",
      bends !== null && "beta",
      batch && "dgamma",
      batch && "dbeta",
    ]),
    write: arrays(walk.type, ["dx"]),
    params: { ...walk.params, epsilon: f32(epsilon), ...(batch ? { share: f32(1 / batchRows) } : {}) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: lines(
        (bends !== null || batch) && CHANNEL.mean,
        CHANNEL.variance,
        CHANNEL.gamma,
        bends !== null && CHANNEL.beta,
        "let slope = weight * inverse;",
        batch &&
          "let meanGamma = load_dgamma(column) * params.share;\n  let meanBeta = load_dbeta(column) * params.share;",
      ),
      row: lines(
        (bends !== null || batch) && NORMALIZED,
        bends !== null && OUTPUT,
        bends ? gradientText(bends) : "let dz = load_dy(at);",
        `store_dx(at, slope * ${batch ? "(dz - meanBeta - normalized * meanGamma)" : "dz"});`,
      ),
    }),
  });
}
