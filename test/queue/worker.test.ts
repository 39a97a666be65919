import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { GpuError } from "../../src/gpu/errors.ts";
import { lostRedis, openRedis } from "../../src/queue/open-redis.ts";
import { queueMetrics, queueStatus, speedOf, statusText } from "../../src/queue/queue-status.ts";
import { redisAddress, RedisError } from "../../src/queue/redis-address.ts";
import { serveMetrics } from "../../src/queue/serve-metrics.ts";
import { jobId } from "../../src/queue/shard-job.ts";
import type { LabelTask, ShardJob, ShardOutcome } from "../../src/queue/shard-job.ts";
import { ShardQueue } from "../../src/queue/shard-queue.ts";
import { UnfitWorkerError } from "../../src/queue/unfit-worker-error.ts";
import { WorkerMetrics } from "../../src/queue/worker-metrics.ts";
import { runWorker } from "../../src/queue/worker.ts";
import type { WorkerEnd, WorkerOptions } from "../../src/queue/worker.ts";
import type { StageTime } from "../../src/use/stage-clock.ts";
import type { ListShard } from "../../src/bulk/shard.ts";
import { inTestAll, isQuick } from "../helpers/quick.ts";
import { redisProgram, TestRedis } from "../helpers/redis.ts";

const TASK: LabelTask = {
  model: "/m.safetensors",
  modelSha256: "0".repeat(64),
  out: "/out",
  imageSize: { width: 64, height: 32 },
};
const DONE: ShardOutcome = { labelled: 10, failed: [], already: false };

const shard = (index: number): ListShard => ({
  ...{ index, id: `shard-${String(index).padStart(6, "0")}-abc` },
  list: { path: "/list.txt", root: "/", line: 10 * index + 1, entries: 10, from: 0, to: 9, sha256: "" },
});
const shards = (count: number): ListShard[] => Array.from({ length: count }, (_, index) => shard(index));

const found = await redisProgram();

it("one job's id is that of the same photos and the same task alone", () => {
  const id = jobId({ shard: shard(1), task: TASK });
  expect(id).toMatch(/^shard-000001-abc-[0-9a-f]{12}$/);
  const { model, ...rest } = TASK;
  expect(jobId({ shard: shard(1), task: { ...rest, logits: undefined, model } })).toBe(id);
  for (const other of [{ logits: true }, { imageSize: { width: 32, height: 64 } }, { out: "/other" }])
    expect(jobId({ shard: shard(1), task: { ...TASK, ...other } })).not.toBe(id);
  expect(jobId({ shard: shard(2), task: TASK })).not.toBe(id);
});

it("the speed is that of the last minutes", () => {
  const at = (seconds: number, photos = 10): { at: number; photos: number } => ({
    at: 1000 * seconds,
    photos,
  });
  expect(speedOf([], 0)).toBeNull();
  expect(speedOf([at(100)], 110_000)).toBeNull();
  // The first one's photos were labelled before.
  expect(speedOf([at(104), at(102), at(100, 99)], 110_000)).toEqual({
    shards_per_second: 0.2,
    photos_per_second: 2,
  });
  expect(speedOf([at(1000), at(998), at(100)], 1_000_000)).toEqual({
    shards_per_second: 0.5,
    photos_per_second: 5,
  });
});

describe.runIf("reason" in found)("without redis-server", () => {
  it("skips", (context) => context.skip("reason" in found ? found.reason : ""));
});

describe.skipIf("reason" in found)("a queue of shards", () => {
  let redis: TestRedis;
  let names = 0;
  const open: ShardQueue[] = [];
  beforeAll(async () => (redis = await TestRedis.start(found)));
  afterEach(async () => {
    for (const queue of open.splice(0)) {
      await queue.close();
      queue.redis.client.disconnect();
    }
  });
  afterAll(() => redis.end());

  /** A queue of that name by a connection of its own; a new one without. */
  async function queueOf(name = `test-${(names += 1)}`, patient = true): Promise<ShardQueue> {
    const queue = new ShardQueue(
      await openRedis(await redisAddress({ REDIS_URL: redis.url }), { patient }),
      name,
    );
    open.push(queue);
    return queue;
  }

  interface Worked extends WorkerEnd {
    readonly said: string[];
    readonly metrics: WorkerMetrics;
  }

  /** A worker until it ends, by itself unless it is stopped. */
  async function worker(
    queue: ShardQueue,
    work: WorkerOptions["work"],
    options: Partial<WorkerOptions> = {},
  ): Promise<Worked> {
    const said: string[] = [];
    const metrics = new WorkerMetrics();
    const own = await queueOf(queue.name);
    const end = await runWorker({
      ...{ queue: own, work, drain: true, stop: new AbortController().signal, metrics },
      say: (sentence) => void said.push(sentence),
      ...options,
    });
    return { ...end, said, metrics };
  }

  it("takes each shard once, however often it is added", async () => {
    const queue = await queueOf();
    const progress: number[] = [];
    const memory = async (): Promise<number> =>
      Number(/^used_memory:(\d+)/m.exec(await queue.redis.client.info("memory"))![1]);
    const before = await memory();
    const options = {
      onProgress: ({ added, there }: { added: number; there: number }) => void progress.push(added + there),
    };
    expect(await queue.add(shards(1200), TASK, options)).toEqual({ added: 1200, there: 0 });
    expect(progress).toEqual([500, 1000, 1200]);
    console.log(`a shard of a list takes ${Math.round(((await memory()) - before) / 1200)} bytes of Redis`);
    expect(await queue.add(shards(1201), TASK)).toEqual({ added: 1, there: 1200 });
    expect(await queue.add(shards(2), { ...TASK, out: "/other" })).toEqual({ added: 2, there: 0 });
    expect(await queue.counts()).toEqual({ waiting: 1203, active: 0, delayed: 0, completed: 0, failed: 0 });
    const done: string[] = [];
    const work = (job: ShardJob): Promise<ShardOutcome> => {
      done.push(jobId(job));
      return Promise.resolve(DONE);
    };
    const [one, other] = await Promise.all([worker(queue, work, { concurrency: 3 }), worker(queue, work)]);
    expect([one.fault, one.saidGoodbye, other.fault, other.saidGoodbye]).toEqual([null, true, null, true]);
    expect(done).toHaveLength(1203);
    expect(new Set(done).size).toBe(1203);
    // The jobs of the last ones are kept, and all are counted.
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, completed: 1203 });
    expect((await queue.bull.getJobCounts("completed")).completed).toBe(1000);
    const status = await queueStatus(queue);
    expect(status).toMatchObject({ failed_shards: [], dead_letters: { total: 0 }, eta_seconds: null });
    expect(status.speed!.photos_per_second).toBeCloseTo(10 * status.speed!.shards_per_second, 6);
  });

  it("tries a shard that fails again, later each time, and lists it then; bad photos are listed and stop nothing", async () => {
    const queue = await queueOf();
    await queue.add(shards(3), TASK, { attempts: 3, backoff: 0.2 });
    const tried: number[] = [];
    const failed = [{ photo: "a.jpg", reason: "a.jpg cannot be decoded." }];
    let isWell = false;
    const work: WorkerOptions["work"] = ({ shard: { index } }) => {
      if (index === 1) return Promise.resolve({ ...DONE, failed });
      if (index === 0 || isWell) return Promise.resolve({ ...DONE, already: true });
      tried.push(performance.now());
      return Promise.reject(new Error("The disk is full."));
    };
    const { said, metrics, fault } = await worker(queue, work);
    expect(fault).toBeNull();
    expect(tried).toHaveLength(3);
    expect(tried[1] - tried[0]).toBeGreaterThan(100);
    expect(tried[2] - tried[1]).toBeGreaterThan(200);
    const id = jobId({ shard: shard(2), task: TASK });
    expect(said.filter((line) => line.includes("failed:"))).toEqual(
      [1, 2, 3].map((n) => `${id}: attempt ${n} of 3 failed: The disk is full.`),
    );
    expect(said.filter((line) => line.includes("of 11 photos"))).toHaveLength(1);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, completed: 2, failed: 1 });
    const status = await queueStatus(queue);
    expect(status.failed_shards).toEqual([
      { id, what: "/list.txt, 10 photos from line 21 on", reason: "The disk is full.", attempts: 3 },
    ]);
    expect(status.dead_letters).toEqual({
      total: 1,
      shards: [{ shard: jobId({ shard: shard(1), task: TASK }), total: 1, photos: failed }],
    });
    const text = statusText(status);
    expect(text).toContain("Shards: 0 waiting, 0 active, 0 delayed, 2 completed, 1 failed\n");
    expect(text).toContain("  a.jpg of shard-000001-abc-");
    expect(text).toContain(", 3 attempts: The disk is full.\n");

    const stage = (worked: number): StageTime => ({ worked, waited: 9, inHand: 9 });
    const stages = { decode: stage(1), network: stage(2.5), encode: stage(0), write: stage(0) };
    for (let i = 0; i < 2; i++) metrics.stagesDone(stages);
    const lines = (metrics.text() + (await queueMetrics(queue))).trim().split("\n");
    expect(lines).toContain('bespoke_shards_total{outcome="failed"} 3');
    expect(lines).toContain('bespoke_shards_total{outcome="already"} 1');
    expect(lines).toContain('bespoke_photos_total{outcome="labelled"} 10');
    expect(lines).toContain('bespoke_photos_total{outcome="failed"} 1');
    expect(lines).toContain('bespoke_stage_seconds_total{stage="network"} 5');
    expect(lines).toContain(`bespoke_dead_letters{queue="${queue.name}"} 1`);
    expect(lines).toContain(`bullmq_job_count{queue="${queue.name}", state="failed"} 1`);
    const told = new Set<string>();
    for (const line of lines) {
      const name = /^# (?:HELP (\w+) \S|TYPE (\w+) (?:counter|gauge)$)/.exec(line);
      if (name) told.add(`${name[1] ? "HELP" : "TYPE"} ${name[1] ?? name[2]}`);
      else {
        const [, metric] = /^(\w+)(?:\{\w+="[^"]*"(?:, ?\w+="[^"]*")*\})? \d+(?:\.\d+)?(?:e[+-]\d+)?$/.exec(
          line,
        )!;
        expect(told).toContain(`HELP ${metric}`);
        expect(told).toContain(`TYPE ${metric}`);
      }
    }

    // Back with all its attempts.
    expect(await queue.retry()).toBe(1);
    isWell = true;
    await worker(queue, work);
    expect(await queue.counts()).toMatchObject({ completed: 3, failed: 0 });
    // A photo that is mended is no dead letter any more.
    await queue.bury(jobId({ shard: shard(1), task: TASK }), []);
    expect((await queueStatus(queue)).dead_letters.total).toBe(0);
  });

  it("tries photos that could not be had again, and lists them when that does not help", async () => {
    const queue = await queueOf();
    await queue.add(shards(1), TASK, { attempts: 2, backoff: 0 });
    let tried = 0;
    const failed = [{ photo: "https://host/a.jpg", reason: "The server is busy.", passing: true }];
    const { said } = await worker(queue, () => {
      tried += 1;
      return Promise.resolve({ ...DONE, failed });
    });
    expect(tried).toBe(2);
    expect(said.join("\n")).toContain(
      "attempt 1 of 2 failed: 1 photo could not be had, for a reason that may pass",
    );
    expect((await queueStatus(queue)).dead_letters.total).toBe(1);
    expect(await queue.counts()).toMatchObject({ completed: 1, failed: 0 });
  });

  it("lets a shard in hand be done when it is stopped, or takes it back after the grace", async () => {
    const queue = await queueOf();
    await queue.add(shards(2), TASK);
    const stopped = async (grace: number): Promise<Worked> => {
      const stop = new AbortController();
      return worker(
        queue,
        async (_job, signal) => {
          setTimeout(() => stop.abort(), 50);
          await new Promise((resolve, reject) => {
            const timer = setTimeout(resolve, 600);
            signal.addEventListener("abort", () => {
              clearTimeout(timer);
              reject(signal.reason as Error);
            });
          });
          return DONE;
        },
        { stop: stop.signal, grace, drain: false },
      );
    };
    const impatient = await stopped(0.1);
    expect(impatient.said).toContain("A shard in hand has 0.1 s to be done.");
    expect(impatient.said.at(-1)).toMatch(/^shard-000000-.*: given back$/);
    expect(impatient.metrics.text()).toContain('bespoke_shards_total{outcome="given_back"} 1');
    expect(await queue.counts()).toMatchObject({ waiting: 2, active: 0, delayed: 0, completed: 0 });
    const patient = await stopped(20);
    expect([patient.fault, patient.saidGoodbye]).toEqual([null, true]);
    expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0, completed: 1 });
    // Given back is not an attempt.
    const [last] = await queue.lastCompleted(1);
    expect([last.attemptsMade, last.returnvalue.labelled]).toEqual([1, 10]);
  });

  it("ends where it is the worker's fault, the shards back in the queue", async () => {
    const queue = await queueOf();
    await queue.add(shards(9), TASK, { backoff: 100 });
    const unfit = await worker(queue, () =>
      Promise.reject(new UnfitWorkerError("The model is another file.")),
    );
    expect(unfit.fault?.message).toBe("The model is another file.");
    expect(await queue.counts()).toMatchObject({ waiting: 9, active: 0, delayed: 0 });
    const lost = await worker(queue, () => Promise.reject(new GpuError("lost", "The GPU device was lost.")));
    expect(lost.fault).toBeInstanceOf(GpuError);
    // One attempt is over: a photo that no device outlives must end among the failed.
    expect(await queue.counts()).toMatchObject({ waiting: 8, active: 0, delayed: 1 });
    const broken = await worker(queue, () => Promise.reject(new Error("No space left.")));
    expect(broken.fault?.message).toMatch(
      /^5 shards failed here one after the other, .* The last: No space left\.$/,
    );
    expect(await queue.counts()).toMatchObject({ waiting: 3, active: 0, delayed: 6, failed: 0 });
  });

  it("waits for a Redis that is gone, says so once, and loses nothing", async () => {
    const queue = await queueOf();
    await queue.add(shards(4), TASK);
    const done: number[] = [];
    const { said, fault } = await worker(queue, async ({ shard: { index } }) => {
      if (index === 1) {
        await redis.kill();
        setTimeout(() => void redis.start(), 1500);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
      done.push(index);
      return DONE;
    });
    expect(fault).toBeNull();
    expect(done).toEqual([0, 1, 2, 3]);
    const where = `Redis at 127.0.0.1:${redis.port}`;
    expect(said.filter((line) => !line.startsWith("shard-"))).toEqual([
      `${where} is gone: waiting for it.`,
      `${where} is back.`,
    ]);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, completed: 4, failed: 0 });
  });

  it.skipIf(isQuick)(inTestAll("ends while Redis is gone, and the shard is not lost"), async () => {
    const queue = await queueOf();
    await queue.add(shards(1), TASK);
    const stop = new AbortController();
    const { fault } = await worker(
      queue,
      async () => {
        await redis.kill();
        stop.abort();
        return DONE;
      },
      { stop: stop.signal, grace: 0.5 },
    );
    await redis.start();
    expect(fault).toBeNull();
    // Its last word may have waited for Redis; else another finds the shard done.
    await worker(queue, () => Promise.resolve({ ...DONE, already: true }));
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, completed: 1, failed: 0 });
  });

  it.skipIf(isQuick)(
    inTestAll("takes over the shards of a worker that is heard of no more, but not for ever"),
    async () => {
      const queue = await queueOf();
      await queue.add(shards(2), TASK);
      const ids = shards(2).map((of) => jobId({ shard: of, task: TASK }));
      // As `kill -9` leaves them: in somebody's hands, and nobody renews the locks.
      const { Worker } = await import("bullmq");
      const killed = new Worker(queue.name, null, {
        ...{ connection: queue.redis.client, prefix: "bespoke", lockDuration: 12_000 },
      });
      for (const id of ids) expect((await killed.getNextJob("token")).id).toBe(id);
      // Ten others have died of the second one.
      await queue.redis.client.hset(queue.bull.toKey(ids[1]), "stc", "10");
      const start = performance.now();
      const { said } = await worker(queue, () => Promise.resolve(DONE));
      console.log(`taken over after ${((performance.now() - start) / 1000).toFixed(1)} s`);
      expect(said).toContain(`${ids[0]}: its worker is gone; it is back in the queue`);
      expect(await queue.counts()).toMatchObject({ completed: 1, failed: 1, active: 0 });
      expect((await queueStatus(queue)).failed_shards).toMatchObject([
        { id: ids[1], reason: expect.stringMatching(/^One worker after the other was killed/) as string },
      ]);
      // Put back, it has all its chances again.
      expect(await queue.retry()).toBe(1);
      await worker(queue, () => Promise.resolve(DONE));
      expect(await queue.counts()).toMatchObject({ completed: 2, failed: 0 });
      await killed.close();
    },
  );

  it.skipIf(isQuick)(
    inTestAll("says that it is no longer the one who does a shard, and it is done once"),
    async () => {
      const queue = await queueOf();
      await queue.add(shards(1), TASK);
      const id = jobId({ shard: shard(0), task: TASK });
      let worked = 0;
      const { said, fault } = await worker(queue, async () => {
        worked += 1;
        // As after a pause in which its hold ran out.
        if (worked === 1) await queue.redis.client.del(`${queue.bull.toKey(id)}:lock`);
        return { ...DONE, already: worked > 1 };
      });
      expect([worked, fault]).toEqual([2, null]);
      expect(said[1]).toBe(
        `${id}: this worker was not heard of for 12 s, so another may do it again; what is written stays`,
      );
      expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, completed: 1, failed: 0 });
    },
  );

  it.skipIf(isQuick)(inTestAll("says in a sentence that Redis went while shards were added"), async () => {
    const queue = await queueOf(undefined, false);
    await redis.kill();
    const { where } = queue.redis;
    try {
      const error = await queue.add(shards(1), TASK).catch((error: unknown) => lostRedis(error, where));
      expect(error).toBeInstanceOf(RedisError);
      expect((error as Error).message).toBe(
        `Redis at ${where} is gone: what was done by now stays. Run the same command again when it is back.`,
      );
    } finally {
      await redis.start();
    }
    const other = new Error("The list is no list.");
    expect(lostRedis(other, where)).toBe(other);
  });

  it("refuses names that keys cannot have", async () => {
    const { redis: opened } = await queueOf();
    for (const name of ["", "a:b", "a b", "ä"])
      expect(() => new ShardQueue(opened, name)).toThrow(/cannot be called/);
  });
});

it("metrics are served to this machine, and at /metrics alone", async () => {
  const { url, close } = await serveMetrics({ host: "127.0.0.1", port: 0 }, () => Promise.resolve("a 1\n"));
  const response = await fetch(url);
  expect([response.status, await response.text()]).toEqual([200, "a 1\n"]);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect((await fetch(new URL("/", url))).status).toBe(404);
  expect((await fetch(url, { method: "POST" })).status).toBe(405);
  const { port } = new URL(url);
  await expect(
    serveMetrics({ host: "127.0.0.1", port: Number(port) }, () => Promise.resolve("")),
  ).rejects.toThrow(
    /^The metrics cannot be served at 127\.0\.0\.1:\d+ \(.*EADDRINUSE.*\): give --metrics another address\.$/,
  );
  close();
});
