import { describe, expect, it } from "vitest";
import type { ProductGroup, Work } from "../../../src/graph/autotune/products.ts";
import { gainOf, search, winnerOf } from "../../../src/graph/autotune/search.ts";
import type { Timer } from "../../../src/graph/autotune/search.ts";
import type { Tile, TileRequest } from "../../../src/kernels/tiling.ts";

/** Tiles are told apart by their rows. */
const tile = (rows: number): Tile => ({ rows, columns: 32 });

/** A timer of works that take, run after run, the times given; none for work that does not compile. */
class FakeTimer implements Timer {
  readonly runs: Work[] = [];
  readonly #times = new Map<Work, readonly number[]>();
  spent = 0;

  group(name: string, uses: number, ...times: (readonly number[])[]): ProductGroup {
    const candidates = times.map((one, i) => {
      const work: Work = [];
      this.#times.set(work, one);
      return { tile: tile(i), work };
    });
    return { name, request: {} as TileRequest, uses, candidates };
  }

  compile(work: Work): Promise<string | null> {
    return Promise.resolve(this.#times.get(work)!.length > 0 ? null : "It does not compile.");
  }

  time(work: Work): Promise<number> {
    const times = this.#times.get(work)!;
    const ms = times[this.runs.filter((run) => run === work).length % times.length];
    this.runs.push(work);
    this.spent += ms;
    return Promise.resolve(ms);
  }

  count(group: ProductGroup, i: number): number {
    return this.runs.filter((run) => run === group.candidates[i].work).length;
  }
}

const find = (timer: FakeTimer, groups: ProductGroup[], seconds = 1e6) =>
  search(groups, timer, { seconds, now: () => timer.spent });

describe("search", () => {
  it("finds the quickest tile of each group", async () => {
    const timer = new FakeTimer();
    const groups = [timer.group("a", 1, [10], [9], [5], [7]), timer.group("b", 1, [3], [4])];
    const findings = await find(timer, groups);
    expect(findings.get("a")).toMatchObject({ winner: tile(2), measurements: { length: 4 } });
    expect(findings.get("b")!.winner).toEqual(tile(0));
    expect(gainOf(findings.get("a")!)).toBe(2);
    expect(gainOf(findings.get("b")!)).toBe(1);
  });

  it("keeps the default where no other is quicker by a margin", async () => {
    const timer = new FakeTimer();
    const findings = await find(timer, [timer.group("a", 1, [100], [96]), timer.group("b", 1, [100], [94])]);
    expect(findings.get("a")!.winner).toEqual(tile(0));
    expect(findings.get("b")!.winner).toEqual(tile(1));
  });

  it("is not misled by a run that something else disturbed", async () => {
    const timer = new FakeTimer();
    const disturbed = timer.group("a", 1, [90, 10, 10, 10, 10, 10], [11]);
    const lucky = timer.group("b", 1, [10], [12, 12, 6, 12, 12]);
    const findings = await find(timer, [disturbed, lucky]);
    expect(findings.get("a")!.winner).toEqual(tile(0));
    expect(findings.get("b")!.winner).toEqual(tile(0));
  });

  it("drops tiles that do not compile, and groups whose default does not", async () => {
    const timer = new FakeTimer();
    const findings = await find(timer, [timer.group("a", 1, [10], [], [8]), timer.group("b", 1, [], [8])]);
    expect([...findings.keys()]).toEqual(["a"]);
    const { winner, measurements } = findings.get("a")!;
    expect(winner).toEqual(tile(2));
    expect(measurements[1]).toEqual({ tile: tile(1), milliseconds: [], failure: "It does not compile." });
  });

  it("wastes no time on hopeless tiles, and times the default to the end", async () => {
    const timer = new FakeTimer();
    const group = timer.group("a", 1, [100], [10], [40]);
    await find(timer, [group]);
    // The default once more, to see how much there is to win.
    expect([0, 1, 2].map((i) => timer.count(group, i))).toEqual([6, 5, 2]);
  });

  it("begins with the products that take most of the time, and ends when its own is over", async () => {
    const timer = new FakeTimer();
    const quick = timer.group("quick", 3, [10], [5]);
    const often = timer.group("often", 100, [2], [1]);
    // 12 ms for a first look at both, and some 15 for one group.
    const findings = await find(timer, [quick, often], 0.02);
    expect([...findings.keys()]).toEqual(["often"]);
    expect(await find(timer, [quick, often], 0)).toEqual(new Map());
  });
});

describe("winnerOf", () => {
  it("is the default where nothing was timed", () => {
    expect(winnerOf([{ tile: tile(1), milliseconds: [] }])).toEqual(tile(1));
  });
});
