import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seededRandom } from "../../src/graph/initializers.ts";
import type { QueueStatus } from "../../src/queue/queue-status.ts";
import { runCommandLine } from "../cli/command-process.ts";
import { photo } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { bundledProgram } from "../helpers/bundled-program.ts";
import { useGpu } from "../helpers/gpu.ts";
import { redisProgram, TestRedis } from "../helpers/redis.ts";
import { saveTinyModel } from "../train/tiny-model.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

const PHOTOS = Number(process.env.BESPOKE_CHAOS_PHOTOS || 2000);
const SHARD_SIZE = 20;
const WORKERS = 3;
/** Milliseconds between two kills. */
const KILL_EVERY = 3_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A process of `bespoke queue work --drain`. */
class TestWorker {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  said = "";

  constructor(program: string, name: string, env: NodeJS.ProcessEnv) {
    const args = [program, "work", "--drain", "--name", name];
    this.child = spawn(process.execPath, args, { env: { ...process.env, ...env } });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on("data", (text: Buffer) => (this.said += text.toString()));
    this.ended = once(this.child, "close").then(([code]) => code as number | null);
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get hasDone(): boolean {
    return this.said.includes("photos labelled, ");
  }

  /** MiB in memory; null where the system does not say. */
  async memory(): Promise<number | null> {
    const status = await readFile(`/proc/${this.child.pid}/status`, "utf8").catch(() => "");
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kib === undefined ? null : Number(kib) / 1024;
  }
}

/** The digest of each file below a folder but for what killed processes had not finished, which is hidden. */
async function digests(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const name = file.slice(folder.length + 1);
    if (!entry.isFile() || /(^|\/)\./.test(name)) continue;
    found.set(
      name,
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex"),
    );
  }
  return found;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

const found = await redisProgram();

describe.runIf("reason" in found)("without redis-server", () => {
  it("skips", (context) => context.skip("reason" in found ? found.reason : ""));
});

describe.skipIf("reason" in found)("a queue whose workers are killed and whose Redis is restarted", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();
  let redis: TestRedis;
  let env: NodeJS.ProcessEnv;
  let program: string;
  const workers: TestWorker[] = [];

  beforeAll(async () => {
    redis = await TestRedis.start(found);
    env = { BESPOKE_REDIS: redis.url };
    program = await bundledProgram("src/cli/queue.ts", ["small-unet", "plain-overlay"]);
    await saveTinyModel(gpu(), temporary("model.safetensors"));
    await mkdir(temporary("photos"));
    const pictures = await Promise.all(
      [20, 24, 28, 32, 36].map((width) => photo(width, 24).jpeg().toBuffer()),
    );
    const names = Array.from({ length: PHOTOS }, (_, i) => `photos/photo-${String(i).padStart(5, "0")}.jpg`);
    for (const [i, name] of names.entries()) await writeFile(temporary(name), pictures[i % pictures.length]);
    await writeFile(temporary(names[PHOTOS >> 1]), "this is no photo");
    await writeFile(temporary("list.txt"), `${names.join("\n")}\n`);
  });
  afterAll(async () => {
    for (const { child } of workers) child.kill("SIGKILL");
    await redis.end();
  });

  const queue = async (...args: string[]): Promise<string> => {
    const { code, errors, output } = await runCommandLine("queue", args, {
      env: { BESPOKE_REDIS: redis.url },
    });
    expect([code, errors]).toEqual([0, ""]);
    return output;
  };
  const add = (name: string): Promise<string> =>
    queue(
      ...["add", "--name", name, "--model", temporary("model.safetensors"), "--list", temporary("list.txt")],
      ...["--out", temporary(name), "--shard-size", String(SHARD_SIZE)],
    );
  const statusOf = async (name: string): Promise<QueueStatus> =>
    JSON.parse(await queue("status", "--name", name, "--json")) as QueueStatus;
  const work = (name: string): TestWorker => {
    const worker = new TestWorker(program, name, env);
    workers.push(worker);
    return worker;
  };

  it("has every output once, to the byte as in a run that nothing happens to", async () => {
    const shards = Math.ceil(PHOTOS / SHARD_SIZE);
    expect(await add("calm")).toContain(`\n${shards} shards added to calm`);
    const calm = work("calm");
    const memory: number[] = [];
    let begin = performance.now();
    while (calm.isRunning) {
      await Promise.race([sleep(250), calm.ended]);
      const now = await calm.memory();
      if (now !== null && calm.said.includes("photos labelled")) memory.push(now);
    }
    expect([await calm.ended, calm.said]).toEqual([
      0,
      expect.stringContaining(`${PHOTOS - 1} photos labelled by this worker`),
    ]);
    console.log(`${PHOTOS} photos by one worker: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
    if (memory.length >= 8) {
      const quarter = memory.length >> 2;
      const quarters = [0, 1, 2, 3].map((i) => median(memory.slice(i * quarter, (i + 1) * quarter)));
      console.log(
        `its memory, medians of the quarters: ${quarters.map((mib) => mib.toFixed(0)).join(", ")} MiB`,
      );
      expect(quarters[3]).toBeLessThan(1.2 * quarters[1]);
    }
    const expected = await digests(temporary("calm"));
    expect([...expected.keys()].filter((name) => name.endsWith(".mask.png"))).toHaveLength(PHOTOS - 1);

    await add("chaos");
    const random = seededRandom(3, "chaos");
    const inService = Array.from({ length: WORKERS }, () => work("chaos"));
    let [kills, restarts] = [0, 0];
    begin = performance.now();
    // Whoever ends by itself has seen the queue empty.
    const isOver = (): boolean => inService.some(({ isRunning }) => !isRunning);
    const pause = (ms: number): Promise<unknown> =>
      Promise.race([sleep(ms), ...inService.map(({ ended }) => ended)]);
    for (;;) {
      await pause(KILL_EVERY);
      // On a machine with much else to do none would get beyond its start: one is killed that has done a shard.
      while (!isOver() && !inService.some(({ hasDone }) => hasDone)) await pause(200);
      if (isOver()) break;
      const able = inService.filter(({ hasDone }) => hasDone);
      const one = inService.indexOf(able[Math.floor(random() * able.length)]);
      inService[one].child.kill("SIGKILL");
      await inService[one].ended;
      kills += 1;
      inService[one] = work("chaos");
      if (kills !== 2) continue;
      await redis.kill();
      await sleep(500);
      await redis.start();
      restarts += 1;
    }
    const codes = await Promise.all(inService.map(({ ended }) => ended));
    const said = workers.map((worker) => worker.said).join("");
    const unwell = inService.filter((_, i) => codes[i] !== 0).map((worker) => worker.said.slice(-3000));
    expect(unwell).toEqual([]);
    expect([codes, restarts]).toEqual([Array<number>(WORKERS).fill(0), 1]);
    const takenOver = said.split("its worker is gone").length - 1;
    console.log(
      `${kills} workers killed in ${((performance.now() - begin) / 1000).toFixed(0)} s, ${takenOver} shards taken over, Redis restarted ${restarts} time`,
    );
    expect(takenOver).toBeGreaterThan(0);
    expect(said).toContain(`Redis at 127.0.0.1:${redis.port} is gone: waiting for it.`);

    expect(await digests(temporary("chaos"))).toEqual(expected);
    const verified = await queue("verify", temporary("chaos"));
    expect(verified).toContain(`${shards} of ${shards} shards whole, ${PHOTOS - 1} photos labelled\n`);
    expect(verified).toContain("Nothing is wrong.\n");
    const status = await statusOf("chaos");
    expect(status.shards).toEqual({ waiting: 0, active: 0, delayed: 0, completed: shards, failed: 0 });
    expect(status.dead_letters).toMatchObject({
      total: 1,
      shards: [{ photos: [{ photo: `photos/photo-${String(PHOTOS >> 1).padStart(5, "0")}.jpg` }] }],
    });
  });
});
