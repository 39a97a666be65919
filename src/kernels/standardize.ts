/**
 * @file The two halves of a batch norm, and their gradients, by themselves: `x̂ = (x − mean)/sqrt(variance + ε)`, and
 * `z = activation(γ·x̂ + β)`. Everything large is `[rows, C]` (NHWC: rows are pixels), everything else `[C]`.
 */
import { activationGradientText, activationText } from "./text/activation.ts";
import type { ActivationKind } from "./text/activation.ts";
import { channelWalk, walkText } from "./text/channels.ts";
import type { ChannelWalk } from "./text/channels.ts";
import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

const arrays = (type: string, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, `array<${type}>`]));

/** `y` = x̂ of `x`. */
export function standardizeForward(
  target: KernelTarget,
  rows: number,
  channels: number,
  epsilon: number,
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  return defineKernel({
    label: "standardize",
    read: arrays(walk.type, ["x", "mean", "variance"]),
    write: arrays(walk.type, ["y"]),
    params: { ...walk.params, epsilon: f32(epsilon) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: `let centre = load_mean(column);
  let inverse = 1.0 / sqrt(load_variance(column) + T(params.epsilon));`,
      row: "store_y(at, (load_x(at) - centre) * inverse);",
    }),
  });
}

/** The sums over rows, a partial each, that {@link standardizeBackward} wants: Σ g and Σ g·x̂. */
export function standardizeSums(walk: ChannelWalk, firstPartial: number): Kernel {
  return defineKernel({
    label: "standardize_sums",
    read: arrays(walk.type, ["gradient", "normalized"]),
    write: arrays(walk.type, ["sums", "products"]),
    params: { ...walk.params, firstPartial: u32(firstPartial) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: "var sum = T(0.0);\n  var product = T(0.0);",
      row: `let g = load_gradient(at);
    sum += g;
    product += g * load_normalized(at);`,
      end: `let to = (params.firstPartial + partialIndex) * params.columns + column;
  store_sums(to, sum);
  store_products(to, product);`,
    }),
  });
}

/** `dx = s·(g − Σg/n − x̂·Σ(g·x̂)/n)`, of the n rows of the whole batch; s = 1/sqrt(variance + ε). */
export function standardizeBackward(
  target: KernelTarget,
  rows: number,
  channels: number,
  { epsilon, batchRows }: { readonly epsilon: number; readonly batchRows: number },
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  return defineKernel({
    label: "standardize_gradient",
    read: arrays(walk.type, ["gradient", "normalized", "variance", "sums", "products"]),
    write: arrays(walk.type, ["dx"]),
    params: { ...walk.params, epsilon: f32(epsilon), share: f32(1 / batchRows) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: `let inverse = 1.0 / sqrt(load_variance(column) + T(params.epsilon));
  let meanGradient = load_sums(column) * params.share;
  let meanProduct = load_products(column) * params.share;`,
      row: `let normalized = load_normalized(at);
    store_dx(at, inverse * (load_gradient(at) - meanGradient - normalized * meanProduct));`,
    }),
  });
}

/** γ and β of a column. */
const AFFINE_COLUMN = `let weight = load_gamma(column);
  let offset = load_beta(column);`;

/** da of a row: `dz` through the activation of γ·x̂ + β. */
const affineRow = (activation: ActivationKind): string => `let normalized = load_normalized(at);
    let before = normalized * weight + offset;
    let dz = load_dz(at);
    let da = ${activationGradientText(activation, "before", "dz", "T")};`;

/** `z` of `normalized` = x̂. */
export function affineForward(
  target: KernelTarget,
  rows: number,
  channels: number,
  activation: ActivationKind,
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  return defineKernel({
    label: `affine_${activation}`,
    read: arrays(walk.type, ["normalized", "gamma", "beta"]),
    write: arrays(walk.type, ["z"]),
    params: walk.params,
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: AFFINE_COLUMN,
      row: `let before = load_normalized(at) * weight + offset;
    store_z(at, ${activationText(activation, "before", "T")});`,
    }),
  });
}

/** `gradient` = γ·da by x̂, where da = `dz`·activation'(γ·x̂ + β). */
export function affineBackward(
  target: KernelTarget,
  rows: number,
  channels: number,
  activation: ActivationKind,
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  return defineKernel({
    label: `affine_${activation}_gradient`,
    read: arrays(walk.type, ["normalized", "dz", "gamma", "beta"]),
    write: arrays(walk.type, ["gradient"]),
    params: walk.params,
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: AFFINE_COLUMN,
      row: `${affineRow(activation)}
    store_gradient(at, weight * da);`,
    }),
  });
}

/** The sums over rows, a partial each, that are the gradients of γ and β: `dgamma` = Σ da·x̂ and `dbeta` = Σ da. */
export function affineParameterGradients(
  walk: ChannelWalk,
  firstPartial: number,
  activation: ActivationKind,
): Kernel {
  return defineKernel({
    label: `affine_${activation}_parameter_gradients`,
    read: arrays(walk.type, ["normalized", "dz", "gamma", "beta"]),
    write: arrays(walk.type, ["dgamma", "dbeta"]),
    params: { ...walk.params, firstPartial: u32(firstPartial) },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: `${AFFINE_COLUMN}
  var sumGamma = T(0.0);
  var sumBeta = T(0.0);`,
      row: `${affineRow(activation)}
    sumGamma += da * normalized;
    sumBeta += da;`,
      end: `let to = (params.firstPartial + partialIndex) * params.columns + column;
  store_dgamma(to, sumGamma);
  store_dbeta(to, sumBeta);`,
    }),
  });
}
