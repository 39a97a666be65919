/** @file Batch norms with given statistics: their planes, and how products read them. */
import { beginOf, storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import type { BatchNormPattern } from "../pattern.ts";
import { foldNode } from "./norm-nodes.ts";
import { tableOf } from "./norm-tables.ts";
import type { NormTable } from "./norm-tables.ts";
import type { NormPlanes } from "./reading.ts";

/** Whether a norm with given statistics can have planes: channels in fours, and vectors that lie alike in theirs. */
export function hasPlanes({ norm }: BatchNormPattern): boolean {
  const { x, gamma, beta } = norm;
  const [ofGamma, ofBeta] = [gamma, beta].map(storageOf);
  return (
    x.shape.length === 4 &&
    x.shape[3] % 4 === 0 &&
    beginOf(gamma) === beginOf(beta) &&
    ofGamma.shape.length === 1 &&
    ofGamma.shape[0] === ofBeta.shape[0]
  );
}

/** What planes were made of. */
interface Folded {
  readonly table: NormTable;
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly epsilon: number;
}

/** Makes the planes of norms with given statistics: in one go for all whose vectors lie alike in the same stacks. */
export class StatisticsFolder {
  readonly #folded: Folded[] = [];

  /** The planes of a norm, and what must run before they are read; nothing where it already does. */
  fold({ norm, epsilon }: BatchNormPattern): {
    readonly planes: NormPlanes;
    readonly nodes: readonly Node[];
  } {
    const vectors = [norm.gamma, norm.beta, norm.mean, norm.variance];
    const [gamma, beta, ...statistics] = vectors.map(storageOf);
    const begin = beginOf(norm.gamma);
    const [size] = gamma.shape;
    const alike = vectors.every((vector) => beginOf(vector) === begin && storageOf(vector).shape[0] === size);
    const [mean, variance] = alike ? statistics : [norm.mean, norm.variance];
    const known = this.#folded.find(
      ({ table, ...of }) =>
        table.gamma === gamma &&
        table.beta === beta &&
        of.mean === mean &&
        of.variance === variance &&
        of.epsilon === epsilon,
    );
    const table = known?.table ?? tableOf(gamma, beta);
    const planes = { tensor: table.planes, size: table.size, begin };
    if (known) return { planes, nodes: [] };
    this.#folded.push({ table, mean, variance, epsilon });
    const first = alike ? 0 : begin;
    const place = {
      channels: alike ? size : norm.gamma.shape[0],
      statisticsBegin: 0,
      parametersBegin: first,
      normBegin: first,
      normSize: size,
      epsilon,
    };
    return { planes, nodes: [foldNode({ table, place }, { mean, variance })] };
  }
}
