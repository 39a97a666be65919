import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { zeros } from "../../../src/graph/initializers.ts";
import { accumulate } from "../../../src/graph/ops/accumulate.ts";
import type { VariableFilter, Variables } from "../../../src/graph/variables.ts";
import type { Collectives } from "../../../src/mpi/collectives.ts";
import { inProcessRanks } from "../../helpers/in-process-ranks.ts";
import { RankExchange } from "../../../src/train/phase/rank-exchange.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A rank whose collectives take ten milliseconds each, one after the other, and multiply by two. */
function slowRank(): Collectives {
  let last: Promise<unknown> = Promise.resolve();
  const [rank] = inProcessRanks(2);
  return {
    ...rank,
    meet: () => last.then(() => undefined),
    allReduce(_, numbers) {
      const run = last.then(async () => {
        await sleep(10);
        numbers.forEach((number, i) => (numbers[i] = 2 * number));
      });
      last = run;
      return run;
    },
  };
}

describe("the exchange of gradients", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  function exchangeOfTwo() {
    const graph = new Graph();
    const share = graph.input("share", []);
    const sums = ["late layers", "early layers"].map((name) => graph.state(name, [2], zeros));
    const taps = Object.fromEntries(
      sums.map((sum) => [sum.name, accumulate(new Map([[sum, graph.input(`x ${sum.name}`, [2])]]), share)]),
    );
    const written = new Map<string, Float32Array>();
    const variables = {
      write: (name: string, values: Float32Array) => void written.set(name, values.slice()),
      // In another order than the buckets have.
      readAll: (which: VariableFilter) =>
        Promise.resolve(
          new Map(
            ["early layers", "late layers"]
              .filter((name) => which(name, null))
              .map((name) => [name, { shape: [2], data: new Float32Array(2) }]),
          ),
        ),
    } as unknown as Variables;
    return { exchange: new RankExchange(variables, slowRank(), { outputs: {}, taps }), written };
  }

  const values = (name: string, ...numbers: number[]) =>
    new Map([[name, { shape: [2], data: Float32Array.from(numbers) }]]);

  it("says how long it took, and how much of that the backward pass hid", async () => {
    const { exchange, written } = exchangeOfTwo();
    const step = async (): Promise<void> => {
      await exchange.begin();
      const late = exchange.tapped("late layers", values("late layers", 1, 2));
      await sleep(4);
      // The backward pass is over, and the first bucket is not: the second one waits 6 ms, which count once.
      const early = exchange.tapped("early layers", values("early layers", 3, 4));
      await Promise.all([late, early]);
      await exchange.end({ first: 0, end: 1, all: 2 }, Float64Array.of(1));
    };
    for (let steps = 1; steps <= 2; steps++) {
      const stepping = step();
      await vi.runAllTimersAsync();
      await stepping;
      expect(exchange.times).toEqual({ exchangedMs: 20 * steps, overlappedMs: 4 * steps });
    }
    expect(written.get("late layers")).toEqual(Float32Array.of(2, 4));
    expect(written.get("early layers")).toEqual(Float32Array.of(6, 8));
  });

  it("of a rank without photos adds zeros, and hides nothing", async () => {
    const { exchange, written } = exchangeOfTwo();
    const ending = (async () => {
      await exchange.begin();
      await exchange.end({ first: 1, end: 1, all: 1 }, Float64Array.of(0));
    })();
    await vi.runAllTimersAsync();
    await ending;
    expect(exchange.times).toEqual({ exchangedMs: 20, overlappedMs: 0 });
    expect([...written.keys()]).toEqual(["late layers", "early layers"]);
    expect(written.get("early layers")).toEqual(new Float32Array(2));
  });
});
