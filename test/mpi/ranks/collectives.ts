// Every rank checks what the collectives give it, and the first one prints "right".
import assert from "node:assert/strict";
import { Communicator } from "../../../src/mpi/communicator.ts";
import { sumInHalves } from "../../../src/mpi/half-sum.ts";

const ranks = await Communicator.join();
const { rank, size } = ranks;
const all = Array.from({ length: size }, (_, i) => i);
assert.equal(ranks.hosts.length, size);

const floats = Float32Array.from({ length: 100_003 }, (_, i) => (rank + 1) * (i % 1000));
await ranks.allReduce("sum", floats);
const factor = all.reduce((sum, other) => sum + other + 1, 0);
floats.forEach((value, i) => assert.equal(value, factor * (i % 1000)));

const doubles = Float64Array.of(rank, -rank, 0.1);
await ranks.allReduce("most", doubles, "max");
assert.deepEqual([...doubles], [size - 1, -0, 0.1]);
const counts = Uint32Array.of(2 ** 31 + rank, rank + 5);
await ranks.allReduce("least", counts, "min");
assert.deepEqual([...counts], [2 ** 31, 5]);
await ranks.allReduce("nothing", new Float32Array(0));

// Of any length, none among them.
const own = new Uint8Array(rank).fill(rank);
assert.deepEqual(
  await ranks.allGather("bytes", own),
  all.map((other) => new Uint8Array(other).fill(other)),
);

// Parts of different lengths: from each rank to each other one, and of each rank to all.
const lengthTo = (to: number): number => 3 + to;
const sent = all.flatMap((to) => Array<number>(lengthTo(to)).fill(10 * rank + to));
const got = await ranks.allToAll(
  "parts",
  Uint8Array.from(sent),
  all.map(lengthTo),
  all.map(() => lengthTo(rank)),
);
assert.deepEqual(
  [...got],
  all.flatMap((from) => Array<number>(lengthTo(rank)).fill(10 * from + rank)),
);
const parts = all.flatMap((from) => Array<number>(from).fill(100 + from));
const filled = Uint8Array.from(parts, (value) => (value === 100 + rank ? value : 0));
await ranks.gatherParts("parts", filled, all);
assert.deepEqual([...filled], parts);

// In half the bytes, all ranks come to the same bits.
const halves = Float32Array.from({ length: 1001 }, (_, i) => Math.sin(i + rank) * 2 ** -40);
await sumInHalves(ranks, "halves", halves);
halves.forEach((value, i) => {
  const exact = all.reduce((sum, other) => sum + Math.sin(i + other), 0) * 2 ** -40;
  assert.ok(Math.abs(value - exact) <= 2 ** -11 * (2 * size) * 2 ** -40, `${value} and not ${exact}`);
});
const bits = new Uint8Array(halves.buffer);
for (const other of await ranks.allGather("bits", bits)) assert.deepEqual(other, bits);

// Called without waiting, they run in the order of their calls, while timers go on.
let ticks = 0;
const timer = setInterval(() => ticks++, 1);
const large = [1, 2, 3].map((factor) => new Float32Array(2_000_000).fill(factor * (rank + 1)));
await Promise.all(large.map((numbers, i) => ranks.allReduce(`bucket ${i}`, numbers)));
clearInterval(timer);
large.forEach((numbers, i) => assert.ok(numbers.every((value) => value === (i + 1) * factor)));
assert.ok(ticks > 0, "no timer ran");
assert.ok(ranks.waitedMs > 0);

// Whoever waits takes no core.
const before = process.cpuUsage();
if (rank === 0) await new Promise((resolve) => setTimeout(resolve, 1000));
await ranks.meet("end of the test");
const { user, system } = process.cpuUsage(before);
assert.ok(user + system < 500_000, `${user + system} µs of a second's waiting`);
await ranks.close();
await ranks.close();
if (rank === 0) console.log("right");
