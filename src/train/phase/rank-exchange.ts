/**
 * @file What ranks tell each other in a training step. Each has made its micro-batches of the batch; behind this all have the sum of
 * the gradients, and the moving statistics that one process would have that made all of the micro-batches, one after the other.
 */
import type { Collectives } from "../../mpi/collectives.ts";
import { beginOf, storageOf, variableParts } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/graph.ts";
import type { Goals } from "../../graph/plan.ts";
import type { Variables, VariableValues } from "../../graph/variables.ts";
import { bytesOf } from "../../graph/shape.ts";

/** Bytes of gradients that are summed at once, about, while the next ones are read. */
const BUCKET_BYTES = 2 ** 24;

/** The micro-batches of a step, in the order in which one process would make them. */
export interface StepShare {
  /** Those of this rank, from the first number up to the second. */
  readonly first: number;
  readonly end: number;
  /** Those of all ranks. */
  readonly all: number;
}

/** Sums up the gradients of all ranks, in the accumulators (see `accumulation.ts`). */
export class RankExchange {
  readonly #variables: Variables;
  readonly #ranks: Collectives;
  /** Names of accumulators. */
  readonly #buckets: readonly ReadonlySet<string>[];
  /** What a micro-batch keeps of each of the moving statistics, by their names. */
  readonly #momenta: ReadonlyMap<string, number>;
  #before: ReadonlyMap<string, VariableValues> = new Map();

  /** @param pass what a micro-batch runs. */
  constructor(variables: Variables, ranks: Collectives, pass: Goals) {
    this.#variables = variables;
    this.#ranks = ranks;
    this.#buckets = bucketsOf(pass);
    this.#momenta = momentaOf(pass);
  }

  /** To be called before the first micro-batch of a step: what moves is kept as it is. */
  async begin(): Promise<void> {
    if (this.#momenta.size > 0)
      this.#before = await this.#variables.readAll((name) => this.#momenta.has(name));
  }

  /**
   * To be called behind the last one, and before the optimizer.
   *
   * @param means are summed up too.
   */
  async end(share: StepShare, means: Float64Array): Promise<void> {
    await this.#ranks.meet("sum of the gradients");
    const summed = [this.#ranks.allReduce("sum of the loss", means)];
    for (const bucket of this.#buckets) {
      const values = await this.#variables.readAll((name) => bucket.has(name));
      summed.push(this.#sum("sum of the gradients", values));
    }
    if (this.#momenta.size > 0) {
      const values = await this.#variables.readAll((name) => this.#momenta.has(name));
      summed.push(this.#sum("sum of the moving statistics", this.#termsOf(values, share)));
    }
    await Promise.all(summed);
  }

  async #sum(what: string, values: ReadonlyMap<string, VariableValues>): Promise<void> {
    const numbers = new Float32Array([...values.values()].reduce((sum, { data }) => sum + data.length, 0));
    let begin = 0;
    for (const { data } of values.values()) {
      numbers.set(data, begin);
      begin += data.length;
    }
    await this.#ranks.allReduce(what, numbers);
    begin = 0;
    for (const [name, { data }] of values)
      this.#variables.write(name, numbers.subarray(begin, (begin += data.length)));
  }

  /**
   * What each rank adds to moving statistics. A micro-batch makes `a·m + (1 − a)·s` of m; so one process makes `aᴷ·m` and a sum over
   * the K micro-batches of all ranks. Of its own k, a rank knows that sum: `m′ − aᵏ·m`, and all that come after multiply it by a.
   */
  #termsOf(
    values: ReadonlyMap<string, VariableValues>,
    { first, end, all }: StepShare,
  ): Map<string, VariableValues> {
    return new Map(
      [...values].map(([name, { shape, data }]) => {
        const kept = this.#momenta.get(name)!;
        const before = this.#before.get(name)!.data;
        const own = kept ** (end - first);
        const after = kept ** (all - end);
        const start = this.#ranks.rank === 0 ? kept ** all : 0;
        return [
          name,
          { shape, data: data.map((moved, i) => after * (moved - own * before[i]) + start * before[i]) },
        ];
      }),
    );
  }
}

/** The accumulators that a pass adds to, in the order of its nodes: what is computed first is summed first. */
function bucketsOf({ updates = [] }: Goals): ReadonlySet<string>[] {
  const accumulators = updates
    .filter(({ op }) => op.name === "accumulate")
    .flatMap(({ op }) => op.updates ?? [])
    .map(storageOf);
  const buckets: Set<string>[] = [];
  let bytes = Infinity;
  for (const tensor of accumulators) {
    if (bytes >= BUCKET_BYTES) {
      buckets.push(new Set());
      bytes = 0;
    }
    for (const { name } of variableParts(tensor)) buckets.at(-1)!.add(name);
    bytes += bytesOf(tensor);
  }
  return buckets;
}

function momentaOf({ outputs, updates = [] }: Goals): Map<string, number> {
  const some = Object.values(outputs)[0] ?? updates[0];
  const momenta = new Map<string, number>();
  for (const { op } of some.graph.nodes) {
    const { pattern } = op;
    if (pattern?.kind !== "movingStatistics") continue;
    const { movingMean, movingVariance, momentum } = pattern;
    if (typeof momentum !== "number")
      throw new Error("The moving statistics of ranks need a momentum that is a number.");
    for (const tensor of [movingMean, movingVariance]) momenta.set(partNameOf(tensor), momentum);
  }
  return momenta;
}

/** The name by which files know a variable, or the part of one. */
function partNameOf(tensor: Tensor): string {
  const stack = storageOf(tensor);
  const { begins } = stack.variable!;
  return variableParts(stack)[begins.indexOf(beginOf(tensor))].name;
}
