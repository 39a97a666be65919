import { GRADIENT_PLANES, NORM_PLANES, planesLength } from "../../kernels/text/norm-planes.ts";
import { beginOf, storageOf } from "../graph.ts";
import type { Tensor } from "../graph.ts";
import { planTensor } from "./place.ts";
import type { NormPlanes } from "./reading.ts";

/** γ and β of a batch norm: vectors, or parts of stacks. The object stands for the norm. */
export interface NormParameters {
  readonly gamma: Tensor;
  readonly beta: Tensor;
}

/** What a program keeps a channel of the batch norms whose γ and β lie in the same stacks, laid out as these are. */
export interface NormTable {
  readonly gamma: Tensor;
  readonly beta: Tensor;
  /** Channels, those between the parts included. */
  readonly size: number;
  /** `[6, size]`; see norm-planes.ts. */
  readonly planes: Tensor;
  /** `[4, size]`, of the gradients by what is standardized. */
  readonly coefficients: Tensor;
}

/** The tables of a program's norms: one a pair of stacks, and another where two norms share their γ and β. */
export class NormTables {
  readonly #tables: { readonly table: NormTable; readonly taken: Set<number> }[] = [];
  readonly #ofNorm = new Map<NormParameters, NormTable>();

  of(norm: NormParameters): NormTable {
    const known = this.#ofNorm.get(norm);
    if (known) return known;
    const [gamma, beta] = [norm.gamma, norm.beta].map(storageOf);
    const begin = beginOf(norm.gamma);
    let free = this.#tables.find(
      ({ table, taken }) => table.gamma === gamma && table.beta === beta && !taken.has(begin),
    );
    if (!free) {
      free = { table: tableOf(gamma, beta), taken: new Set() };
      this.#tables.push(free);
    }
    free.taken.add(begin);
    this.#ofNorm.set(norm, free.table);
    return free.table;
  }

  /** The planes of one norm. */
  planesOf(norm: NormParameters): NormPlanes {
    const { planes: tensor, size } = this.of(norm);
    return { tensor, size, begin: beginOf(norm.gamma) };
  }

  coefficientsOf(norm: NormParameters): NormPlanes {
    return { ...this.planesOf(norm), tensor: this.of(norm).coefficients };
  }
}

/** A table of its own. */
export function tableOf(gamma: Tensor, beta: Tensor): NormTable {
  const [size] = gamma.shape;
  const table = (name: string, planes: readonly string[]): Tensor =>
    planTensor(gamma.graph, name, { shape: [planesLength(planes, size)], dtype: "f32" });
  return {
    gamma,
    beta,
    size,
    planes: table("norm_planes", NORM_PLANES),
    coefficients: table("norm_coefficients", GRADIENT_PLANES),
  };
}
