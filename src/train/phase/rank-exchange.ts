/**
 * @file What ranks tell each other in a training step. Each has made its micro-batches of the batch; behind this all have the sum of
 * the gradients, and the moving statistics that one process would have that made all of the micro-batches, one after the other.
 */
import type { Wire } from "../../config/index.ts";
import type { Collectives } from "../../mpi/collectives.ts";
import { sumInHalves } from "../../mpi/half-sum.ts";
import { beginOf, storageOf, variableParts } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/graph.ts";
import type { Goals } from "../../graph/plan.ts";
import type { Variables, VariableValues } from "../../graph/variables.ts";
import type { RunOptions } from "../../graph/tap-reader.ts";
import { partsWithin, rangesOf } from "../../graph/taps.ts";

/** The micro-batches of a step, in the order in which one process would make them. */
export interface StepShare {
  /** Those of this rank, from the first number up to the second. */
  readonly first: number;
  readonly end: number;
  /** Those of all ranks. */
  readonly all: number;
}

/** Milliseconds of exchanges of gradients. */
export interface ExchangeTimes {
  /** From when a rank has a bucket of gradients until it has those of all ranks. */
  readonly exchangedMs: number;
  /** Of them what passed while the rank's backward pass went on. */
  readonly overlappedMs: number;
}

export const NO_EXCHANGE: ExchangeTimes = { exchangedMs: 0, overlappedMs: 0 };

/**
 * Sums up the gradients of all ranks, in the accumulators (see `accumulation.ts`): bucket by bucket, those of the layers that the backward
 * pass has done with while it goes on with the others.
 */
export class RankExchange {
  readonly #variables: Variables;
  readonly #ranks: Collectives;
  readonly #wire: Wire;
  readonly #movesAlike: boolean;
  /** Names of the variables of each tap of a pass, in the order in which it gives them. */
  readonly #buckets: ReadonlyMap<string, ReadonlySet<string>>;
  /** What a micro-batch keeps of each of the moving statistics, by their names. */
  readonly #momenta: ReadonlyMap<string, number>;
  #before: ReadonlyMap<string, VariableValues> = new Map();
  /** The exchanges of this step: when each began and ended. */
  #spans: { readonly begin: number; readonly end: number }[] = [];
  /** When this rank's backward pass of this step was over: it had the last gradients. */
  #lastMade = 0;
  /** Buckets are summed up one after the other: all ranks call collectives in the same order. */
  #newest: Promise<void> = Promise.resolve();
  #exchangedMs = 0;
  #overlappedMs = 0;

  /**
   * @param pass what a micro-batch runs.
   * @param options.wire what gradients are sent as.
   * @param options.movesAlike whether a micro-batch moves the statistics of all ranks alike, as with batch norms over all of them.
   */
  constructor(
    variables: Variables,
    ranks: Collectives,
    pass: Goals,
    { wire = "f32", movesAlike = false }: { wire?: Wire | undefined; movesAlike?: boolean } = {},
  ) {
    this.#variables = variables;
    this.#ranks = ranks;
    this.#wire = wire;
    this.#movesAlike = movesAlike;
    this.#buckets = bucketsOf(pass);
    this.#momenta = momentaOf(pass);
  }

  /** Of all steps so far. */
  get times(): ExchangeTimes {
    return { exchangedMs: this.#exchangedMs, overlappedMs: this.#overlappedMs };
  }

  /** To be called before the first micro-batch of a step: what moves is kept as it is. */
  async begin(): Promise<void> {
    this.#spans = [];
    if (this.#momenta.size > 0 && !this.#movesAlike)
      this.#before = await this.#variables.readAll((name) => this.#momenta.has(name));
  }

  /** Sums up a bucket. To be called with the taps of the step's last micro-batch, as they come, or not at all. */
  readonly tapped: NonNullable<RunOptions["tapped"]> = (_, values) => {
    const begin = performance.now();
    this.#lastMade = begin;
    this.#newest = this.#newest.then(async () => {
      await this.#sum("sum of the gradients", values, this.#wire);
      // Those that come while one is on its way wait for it.
      this.#spans.push({ begin: Math.max(begin, this.#spans.at(-1)?.end ?? 0), end: performance.now() });
    });
    return this.#newest;
  };

  /**
   * To be called behind the last micro-batch, when its taps have been taken, and before the optimizer.
   *
   * @param means are summed up too.
   */
  async end(share: StepShare, means: Float64Array): Promise<void> {
    if (this.#spans.length === 0) await this.#sumAccumulators();
    for (const { begin, end } of this.#spans) {
      this.#exchangedMs += end - begin;
      this.#overlappedMs += Math.max(0, Math.min(end, this.#lastMade) - begin);
    }
    await this.#ranks.meet("sum of the loss");
    await this.#ranks.allReduce("sum of the loss", means);
    if (this.#momenta.size > 0) {
      const values = await this.#variables.readAll((name) => this.#momenta.has(name));
      const terms = this.#movesAlike ? this.#ofFirst(values) : this.#termsOf(values, share);
      await this.#sum("sum of the moving statistics", terms);
    }
  }

  /** Where no tap has been taken: of a rank without photos the accumulators are zero. */
  async #sumAccumulators(): Promise<void> {
    for (const [tap, bucket] of this.#buckets) {
      const values = await this.#variables.readAll((name) => bucket.has(name));
      await this.tapped(tap, new Map([...bucket].map((name) => [name, values.get(name)!])));
    }
    this.#lastMade = 0;
  }

  async #sum(what: string, values: ReadonlyMap<string, VariableValues>, wire: Wire = "f32"): Promise<void> {
    const numbers = new Float32Array([...values.values()].reduce((sum, { data }) => sum + data.length, 0));
    let begin = 0;
    for (const { data } of values.values()) {
      numbers.set(data, begin);
      begin += data.length;
    }
    // MPI waits busily for ranks that are late.
    await this.#ranks.meet(what);
    if (wire === "f16") await sumInHalves(this.#ranks, what, numbers);
    else await this.#ranks.allReduce(what, numbers);
    begin = 0;
    for (const [name, { data }] of values)
      this.#variables.write(name, numbers.subarray(begin, (begin += data.length)));
  }

  /** Those of the first rank, which is the last to run out of photos. */
  #ofFirst(values: ReadonlyMap<string, VariableValues>): Map<string, VariableValues> {
    const own = this.#ranks.rank === 0 ? 1 : 0;
    return new Map(
      [...values].map(([name, { shape, data }]) => [name, { shape, data: data.map((x) => own * x) }]),
    );
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

/** The accumulators that each tap of a pass adds to, or parts of them. */
function bucketsOf({ taps = {} }: Goals): Map<string, ReadonlySet<string>> {
  return new Map(
    Object.entries(taps).map(([tap, { op }]) => {
      const parts = rangesOf({ updates: op.updates ?? [] }).flatMap(partsWithin);
      return [tap, new Set(parts.map(({ name }) => name))];
    }),
  );
}

function momentaOf({ outputs, updates = [], taps = {} }: Goals): Map<string, number> {
  const [some] = [...Object.values(outputs), ...updates, ...Object.values(taps)];
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
