/** @file Layer norm and group norm by their definition, in double precision. */
import type { Shape } from "../../../src/graph/shape.ts";

export interface NormCase {
  readonly shape: Shape;
  /** Layer norm where there is none. */
  readonly groups?: number;
  readonly epsilon: number;
}

/** Indices of the numbers that are normalized together: each row of channels, or each group of channels of one item. */
function setsOf({ shape, groups }: NormCase, length: number): number[][] {
  const channels = shape.at(-1)!;
  const perItem = length / shape[0];
  const sets = new Map<number, number[]>();
  for (let i = 0; i < length; i++) {
    const group = Math.floor((i % channels) / (channels / (groups ?? 1)));
    const set = groups === undefined ? Math.floor(i / channels) : Math.floor(i / perItem) * groups + group;
    const known = sets.get(set) ?? [];
    known.push(i);
    sets.set(set, known);
  }
  return [...sets.values()];
}

const meanOf = (indices: readonly number[], f: (i: number) => number): number =>
  indices.reduce((sum, i) => sum + f(i), 0) / indices.length;

/** γ·(x − mean)/√(variance + ε) + β. */
export function normOf(norm: NormCase, [x, gamma, beta]: readonly ArrayLike<number>[]): Float64Array {
  const channels = norm.shape.at(-1)!;
  const y = new Float64Array(x.length);
  for (const indices of setsOf(norm, x.length)) {
    const mean = meanOf(indices, (i) => x[i]);
    const variance = meanOf(indices, (i) => (x[i] - mean) ** 2);
    for (const i of indices)
      y[i] = (gamma[i % channels] * (x[i] - mean)) / Math.sqrt(variance + norm.epsilon) + beta[i % channels];
  }
  return y;
}

/** Its gradients by x, γ and β by their formulas, where finite differences would take too long. */
export function normGradients(
  norm: NormCase,
  [x, gamma]: readonly ArrayLike<number>[],
  dy: ArrayLike<number>,
): Float64Array[] {
  const channels = norm.shape.at(-1)!;
  const one = new Float64Array(channels).fill(1);
  const normalized = normOf(norm, [x, one, new Float64Array(channels)]);
  const [dx, dgamma, dbeta] = [x.length, channels, channels].map((length) => new Float64Array(length));
  for (let i = 0; i < x.length; i++) {
    dgamma[i % channels] += dy[i] * normalized[i];
    dbeta[i % channels] += dy[i];
  }
  for (const indices of setsOf(norm, x.length)) {
    const z = (i: number): number => gamma[i % channels] * dy[i];
    const mean = meanOf(indices, (i) => x[i]);
    const scale = 1 / Math.sqrt(meanOf(indices, (i) => (x[i] - mean) ** 2) + norm.epsilon);
    const [ofAll, ofEach] = [meanOf(indices, z), meanOf(indices, (i) => z(i) * normalized[i])];
    for (const i of indices) dx[i] = scale * (z(i) - ofAll - normalized[i] * ofEach);
  }
  return [dx, dgamma, dbeta];
}
