import { afterAll, expect, test, vi } from "vitest";
import { DataError } from "../../src/data/data-error.ts";
import { WorkerLostError, WorkerPool } from "../../src/data/worker-pool.ts";

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
afterAll(() => expect(unhandled).toEqual([]));

type Job = "die" | "hang" | "refuse" | "fail" | number;

/** A pool whose threads double numbers, slowly. */
function doubling(size: number): WorkerPool<Job, number> {
  const code = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", (job) => {
      if (job === "die") process.exit(1);
      if (job === "hang") for (;;);
      if (job === "refuse") return parentPort.postMessage({ refusal: "The photo cannot be used." });
      if (job === "fail") return parentPort.postMessage({ error: new TypeError("no number") });
      setTimeout(() => parentPort.postMessage({ result: 2 * job }), 10 - (job % 10));
    });
    parentPort.postMessage("ready");`;
  return new WorkerPool(new URL(`data:text/javascript,${encodeURIComponent(code)}`), size);
}

const started = (pool: WorkerPool<Job, number>): Promise<void> =>
  vi.waitFor(() => expect(pool.ready).toBe(true), { timeout: 20_000 });

test("gives each job its own result, also to jobs that wait for a thread to start", async () => {
  const pool = doubling(3);
  expect(pool.ready).toBe(false);
  const numbers = Array.from({ length: 20 }, (_, i) => i);
  expect(await Promise.all(numbers.map((n) => pool.run(n)))).toEqual(numbers.map((n) => 2 * n));
  expect(pool.ready).toBe(true);
  await pool.close();
});

test("a job's error is its own, a refusal a DataError, and the thread goes on", async () => {
  const pool = doubling(1);
  const refused = pool.run("refuse");
  const failed = pool.run("fail");
  await expect(refused).rejects.toThrow(new DataError("The photo cannot be used."));
  await expect(refused).rejects.toBeInstanceOf(DataError);
  await expect(failed).rejects.toThrow(new TypeError("no number"));
  await expect(pool.run((() => 1) as unknown as number)).rejects.toThrow("could not be cloned");
  expect(await pool.run(4)).toBe(8);
  await pool.close();
});

test("a thread that dies loses its own job; without any thread all are lost", async () => {
  const pool = doubling(2);
  await started(pool);
  const [died, lived] = [pool.run("die"), pool.run(5)];
  await expect(died).rejects.toBeInstanceOf(WorkerLostError);
  expect(await lived).toBe(10);
  const [second, waiting] = [pool.run("die"), pool.run(6)];
  await expect(second).rejects.toBeInstanceOf(WorkerLostError);
  await expect(waiting).rejects.toBeInstanceOf(WorkerLostError);
  expect(pool.ready).toBe(false);
  await expect(pool.run(7)).rejects.toBeInstanceOf(WorkerLostError);
  await pool.close();
});

test("threads that cannot start are done without", async () => {
  const pool = new WorkerPool<Job, number>(new URL("data:text/javascript,throw new Error('no')"), 2);
  await expect(pool.run(1)).rejects.toBeInstanceOf(WorkerLostError);
  expect(pool.ready).toBe(false);
  await pool.close();
});

test("closing ends a job that never ends, and refuses those that wait and come later", async () => {
  const pool = doubling(1);
  const [hanging, waiting] = [pool.run("hang"), pool.run(1)];
  const outcomes = Promise.allSettled([hanging, waiting]);
  await started(pool);
  await pool.close();
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ reason: { message: "The worker threads have been ended." } });
  }
  await expect(pool.run(2)).rejects.toThrow("have been ended");
  await pool.close();
});
