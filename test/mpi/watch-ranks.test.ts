import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { STATUS_SOCKET } from "../../src/mpi/rank-status.ts";
import type { RankStatus } from "../../src/mpi/rank-status.ts";
import { watchRanks } from "../../src/mpi/watch-ranks.ts";
import type { RankWatch } from "../../src/mpi/watch-ranks.ts";

const TELLER = fileURLToPath(new URL("../../src/mpi/rank-status.ts", import.meta.url));

let watch: RankWatch;
let gone: RankStatus[];
beforeEach(async () => {
  gone = [];
  watch = await watchRanks((status) => void gone.push(status));
});
afterEach(() => watch.close());

/** A rank that tells it is at step 7 and does as it is told; resolves when its process is gone. */
function rank(number: number, then: string): Promise<void> {
  const code = `
    const { StatusTeller } = await import(${JSON.stringify(TELLER)});
    const teller = new StatusTeller(process.env.${STATUS_SOCKET}, ${number});
    teller.tell({ at: "step 7" });
    await new Promise((resolve) => setTimeout(resolve, 100));
    ${then};`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    env: { ...process.env, [STATUS_SOCKET]: watch.path },
    stdio: "inherit",
  });
  return new Promise((resolve) => child.on("close", () => resolve()));
}
const KILLED = `process.kill(process.pid, "SIGKILL")`;
/** What is on its way arrives. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

it("tells of the first rank that was killed, and of no other", async () => {
  await rank(1, KILLED);
  await rank(0, KILLED);
  await settled();
  expect(gone).toMatchObject([{ rank: 1, at: "step 7", ended: false }]);
});

/** A rank that, once it is told to, says what it is doing behind `tells` ms and is killed behind `dies` ms. */
async function timedRank(
  number: number,
  { tells, dies, how = KILLED }: { readonly tells: number; readonly dies: number; readonly how?: string },
): Promise<() => Promise<void>> {
  const code = `
    const { StatusTeller } = await import(${JSON.stringify(TELLER)});
    const teller = new StatusTeller(process.env.${STATUS_SOCKET}, ${number});
    setTimeout(() => process.stdout.write("ready"), 100);
    await new Promise((resolve) => process.stdin.once("data", resolve));
    setTimeout(() => teller.tell({ at: "step 7" }), ${tells});
    setTimeout(() => { ${how} }, ${dies});`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    env: { ...process.env, [STATUS_SOCKET]: watch.path },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const end = new Promise<void>((resolve) => child.on("close", () => resolve()));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return () => {
    child.stdin.write("go");
    return end;
  };
}

/** On a machine with more to do this process comes to its turn when all is over. */
function sleepThrough(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
}

it.each([
  ["and its news came last", 1, [200, 300]],
  ["and its news came last", 0, [300, 200]],
  ["and its news came first", 1, [300, 200]],
])("tells of the first one when it hears of all at once, %s: rank %i", async (_, first, tells) => {
  const dies = [first === 0 ? 500 : 800, first === 0 ? 800 : 500];
  const start = await Promise.all([0, 1].map((i) => timedRank(i, { tells: tells[i], dies: dies[i] })));
  const ends = start.map((go) => go());
  await new Promise((resolve) => setTimeout(resolve, 50));
  sleepThrough();
  await Promise.all(ends);
  await settled();
  expect(gone).toMatchObject([{ rank: first, at: "step 7", ended: false }]);
});

it("tells of the one that was killed when another has come to its end because of that", async () => {
  const start = await Promise.all([
    timedRank(1, { tells: 200, dies: 500 }),
    timedRank(0, { tells: 10, dies: 800, how: "process.exit(1)" }),
  ]);
  const ends = start.map((go) => go());
  await new Promise((resolve) => setTimeout(resolve, 150));
  sleepThrough();
  await Promise.all(ends);
  await settled();
  expect(gone).toMatchObject([{ rank: 1, at: "step 7", ended: false }]);
});

it.each([
  ["has ended", ""],
  ["has failed, and said so", `process.exitCode = 1; teller.tell({ ended: true }); ${KILLED}`],
  ["has exited", "process.exit(1)"],
])("tells of none when one %s, nor of those that are killed for it", async (_, then) => {
  await rank(0, then);
  await rank(1, KILLED);
  await settled();
  expect(gone).toEqual([]);
});

it("tells of none when all are told to end, and leaves nothing behind", async () => {
  watch.expectEnd();
  await rank(0, KILLED);
  await settled();
  expect(gone).toEqual([]);
  await watch.close();
  if (process.platform !== "win32") expect(existsSync(dirname(watch.path))).toBe(false);
});
