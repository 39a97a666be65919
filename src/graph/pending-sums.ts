import { quadsOf, sumOverPartials } from "../kernels/channel-sum.ts";
import { withStorage } from "../kernels/kernel.ts";
import type { KernelTarget } from "../kernels/kernel.ts";
import type { Binding, Bound, Dispatch } from "./dispatch.ts";
import type { Node } from "./graph.ts";

/** A sum of `partials` `[partialCount, count]` over the first axis, to `result`. */
export interface PendingSum {
  readonly node: Node;
  readonly partials: Bound & { readonly half: boolean };
  readonly partialCount: number;
  readonly count: number;
  readonly result: Bound;
}

/** What is to be summed up lives until it is: together no more than this, in bytes. */
const MOST_BYTES = 2 ** 22;

/**
 * Sums that have not run yet. They are small work, and mostly of gradients that nobody reads before the optimizer does, so
 * as many as the adapter can bind wait for each other and run as one dispatch.
 */
export class PendingSums {
  readonly #target: KernelTarget;
  readonly #dispatch: (dispatch: Dispatch) => void;
  #waiting: PendingSum[] = [];

  constructor(target: KernelTarget, dispatch: (dispatch: Dispatch) => void) {
    this.#target = target;
    this.#dispatch = dispatch;
  }

  add(sum: PendingSum): void {
    const bindings = [
      { ...sum.partials, access: "read" as const },
      { ...sum.result, access: "read_write" as const },
    ];
    if (this.mustComeBefore(bindings) || !this.#fits([...this.#waiting, sum])) this.run();
    this.#waiting.push(sum);
    if (!this.#fits(this.#waiting)) this.run();
  }

  /** Whether a dispatch with these bindings reads a result, writes one, or changes what is to be summed up. */
  mustComeBefore(bindings: readonly Binding[]): boolean {
    return this.#waiting.some(({ partials, result }) =>
      bindings.some(
        (bound) => overlap(bound, result) || (bound.access !== "read" && overlap(bound, partials)),
      ),
    );
  }

  /** Runs what is waiting: what comes in fours apart from what does not. */
  run(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const inFours = waiting.filter(comesInFours);
    for (const sums of [inFours, waiting.filter((sum) => !comesInFours(sum))])
      if (sums.length > 0) this.#dispatch(this.#together(sums));
  }

  #fits(sums: readonly PendingSum[]): boolean {
    const { maxStorageBuffers, maxBindingBytes, maxWorkgroupsPerDimension } = this.#target;
    const results = resultsOf(sums);
    const owners = new Set(results.map(({ owner }) => owner));
    return (
      // No dispatch may read and write one buffer.
      !sums.some(({ partials }) => owners.has(partials.owner)) &&
      sums.length + results.length <= maxStorageBuffers &&
      results.every(({ bytes }) => bytes <= maxBindingBytes) &&
      sums.reduce((quads, sum) => quads + quadsOf(sum), 0) <= maxWorkgroupsPerDimension &&
      sums.reduce((bytes, { partials }) => bytes + partials.bytes, 0) <= MOST_BYTES
    );
  }

  #together(sums: readonly PendingSum[]): Dispatch {
    const results = resultsOf(sums);
    const kernel = sumOverPartials(
      this.#target,
      sums.map(({ partialCount, count, result }) => {
        const to = results.findIndex(({ owner }) => owner === result.owner);
        return { partialCount, count, to, begin: (result.offset - results[to].offset) / 4 };
      }),
    );
    const halves = sums.flatMap(({ partials }, i) => (partials.half ? [[`x${i}`, "f16" as const]] : []));
    return {
      kernel: withStorage(kernel, Object.fromEntries(halves) as Record<string, "f16">),
      bindings: [
        ...sums.map(({ partials: { owner, offset, bytes } }) => ({
          ...{ owner, offset, bytes },
          access: "read" as const,
        })),
        ...results.map((result) => ({ ...result, access: "read_write" as const })),
      ],
      node: sums[0].node,
    };
  }
}

const comesInFours = ({ count }: PendingSum): boolean => count % 4 === 0;

const overlap = (a: Bound, b: Bound): boolean =>
  a.owner === b.owner && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;

/** The results as few bindings, one for all that lie in the same tensor. */
function resultsOf(sums: readonly PendingSum[]): Bound[] {
  const owners = [...new Set(sums.map(({ result }) => result.owner))];
  return owners.map((owner) => {
    const own = sums.filter(({ result }) => result.owner === owner).map(({ result }) => result);
    const offset = Math.min(...own.map((result) => result.offset));
    const end = Math.max(...own.map((result) => result.offset + result.bytes));
    return { owner, offset, bytes: end - offset };
  });
}
