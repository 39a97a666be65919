import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { QueueStatus } from "../../src/queue/queue-status.ts";
import { photo } from "../data/folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { redisProgram, TestRedis } from "../helpers/redis.ts";
import { saveTinyModel, TINY_METADATA } from "../train/tiny-model.ts";
import { runCommandLine, runCommandQuickly } from "./command-process.ts";
import type { Ended } from "./command-process.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

const found = await redisProgram();

/** All files below a folder, with their bytes. */
async function contents(folder: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const bytes = await Promise.all(names.map((name) => readFile(name)));
  return new Map(names.map((name, i) => [name.slice(folder.length), bytes[i]]));
}

describe.runIf("reason" in found)("without redis-server", () => {
  it("skips", (context) => context.skip("reason" in found ? found.reason : ""));
});

describe.skipIf("reason" in found)("bespoke queue", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();
  let redis: TestRedis;
  let model: string;
  beforeAll(async () => {
    redis = await TestRedis.start(found, ["--requirepass", "pass word"]);
    vi.stubEnv("BESPOKE_REDIS", redis.url);
    vi.stubEnv("REDIS_PASSWORD", "pass word");
    model = temporary("model.safetensors");
    await saveTinyModel(gpu(), model);
    await mkdir(temporary("photos/more"), { recursive: true });
    for (let i = 0; i < 5; i++)
      await photo(20 + i, 16)
        .jpeg()
        .toFile(temporary(`photos/more/p${i}.jpg`));
    await photo(16, 16).toFile(temporary("photos/first.png"));
    await writeFile(temporary("photos/torn.jpg"), "no photo");
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await redis.end();
  });

  const queue = (...args: string[]): Promise<Ended> => runCommandQuickly("queue", args);
  const add = (out: string, ...more: string[]): Promise<Ended> =>
    queue(
      "add",
      ...["--model", model, "--images", temporary("photos"), "--out", temporary(out), "--shard-size", "2"],
      ...more,
    );
  const work = (...more: string[]): Promise<Ended> => queue("work", "--drain", ...more);

  it("labels what was added, once, and says what could not be", async () => {
    const added = await add("out", "--name", "first");
    expect([added.code, added.errors]).toEqual([0, ""]);
    expect(added.output).toMatch(/^4 shards added to first in Redis at 127\.0\.0\.1:\d+$/m);
    expect((await add("out", "--name", "first")).output).toMatch(
      /^0 shards added to first in .*, 4 there already$/m,
    );
    let scraped: Promise<string> | undefined;
    const worked = await runCommandQuickly(
      "queue",
      ["work", "--drain", "--name", "first", "--metrics", "0"],
      {
        onOutput: (said) => {
          const url = /^Metrics: (.*)$/m.exec(said)?.[1];
          if (url !== undefined && said.includes("photos labelled, in"))
            scraped ??= fetch(url).then((response) => response.text());
        },
      },
    );
    expect([worked.code, worked.errors]).toEqual([0, ""]);
    expect(worked.output).toMatch(/^Metrics: http:\/\/127\.0\.0\.1:\d+\/metrics$/m);
    expect(worked.output).toContain("\n6 photos labelled by this worker\n");
    const metrics = await scraped;
    expect(metrics).toMatch(/^bespoke_shards_total\{outcome="done"\} [1-4]$/m);
    expect(metrics).toMatch(/^bespoke_stage_seconds_total\{stage="network"\} (?!0$)/m);
    expect(metrics).toMatch(/^bullmq_job_count\{queue="first", state="completed"\} \d$/m);

    const verified = await queue("verify", temporary("out"));
    expect([verified.code, verified.errors]).toEqual([0, ""]);
    expect(verified.output).toContain(
      "4 of 4 shards whole, 6 photos labelled\n1 photo could not be labelled",
    );

    const status = JSON.parse((await queue("status", "--name", "first", "--json")).output) as QueueStatus;
    expect(status.shards).toEqual({ waiting: 0, active: 0, delayed: 0, completed: 4, failed: 0 });
    expect(status.dead_letters.total).toBe(1);
    expect(status.dead_letters.shards[0].photos[0]).toMatchObject({
      photo: expect.stringMatching(/torn\.jpg$/) as string,
      reason: expect.stringMatching(/torn\.jpg is not a picture|cannot be decoded/) as string,
    });
    const text = (await queue("status", "--name", "first")).output;
    expect(text).toMatch(/^Dead letters, photos that could not be labelled:\n {2}\S*torn\.jpg of shard-0/m);
    expect((await queue("status", "--name", "first", "--prometheus")).output).toContain(
      'bespoke_dead_letters{queue="first"} 1\n',
    );
    expect((await queue("retry", "--name", "first")).output).toBe("0 shards put back into first\n");
  });

  it("makes the same of them with two shards at once", async () => {
    await add("again", "--name", "two");
    const { code, errors } = await work("--name", "two", "--concurrency", "2");
    expect([code, errors]).toEqual([0, ""]);
    expect(await contents(temporary("again"))).toEqual(await contents(temporary("out")));
  });

  it("refuses a model that is another file than when the shards were added", async () => {
    await add("other", "--name", "other");
    const bytes = await readFile(model);
    try {
      await saveTinyModel(gpu(), model, { ...TINY_METADATA, epoch: "2" });
      const { code, errors, output } = await work("--name", "other");
      expect([code, errors]).toEqual([
        1,
        expect.stringMatching(/^The model .* is another file here than the one that/),
      ]);
      expect(output).toContain(": given back\n");
    } finally {
      await writeFile(model, bytes);
    }
    const { shards } = JSON.parse((await queue("status", "--name", "other", "--json")).output) as QueueStatus;
    expect(shards).toMatchObject({ waiting: 4, active: 0, delayed: 0, failed: 0 });
    const verified = await queue("verify", temporary("other"));
    expect([verified.code, verified.errors]).toEqual([
      1,
      expect.stringContaining("missing: shard-000003 is not done.\n"),
    ]);
    await rm(temporary("other"), { recursive: true });
  });

  it("gives the shard in hand back when it is told to end, and ends with 0", async () => {
    await add("stopped", "--name", "stopped", "--outputs-as", "tar");
    const stopped = (signal: NodeJS.Signals, grace: string): Promise<Ended> => {
      let isTold = false;
      return runCommandLine("queue", ["work", "--name", "stopped", "--grace", grace], {
        onOutput: (said, kill) => {
          // A shard is in its hands.
          if (!said.includes("\nModel: ") || isTold) return;
          kill(signal);
          isTold = true;
        },
      });
    };
    const { code, output } = await stopped("SIGTERM", "0");
    expect(code).toBe(0);
    expect(output).toMatch(/: given back\n0 photos labelled by this worker\n$/);
    const counts = async (): Promise<QueueStatus["shards"]> =>
      (JSON.parse((await queue("status", "--name", "stopped", "--json")).output) as QueueStatus).shards;
    expect(await counts()).toMatchObject({ waiting: 4, active: 0 });
    const { code: done, output: said } = await stopped("SIGINT", "60");
    expect(done).toBe(0);
    expect(said).toMatch(
      /A shard in hand has 60 s to be done\.\n(Note.*\n)?shard-0.*labelled.*\n\d photos? labelled by this worker\n$/,
    );
    expect(await counts()).toMatchObject({ waiting: 3, active: 0, completed: 1 });
    expect((await readdir(temporary("stopped"))).filter((name) => name.endsWith(".tar"))).toHaveLength(1);
    await rm(temporary("stopped"), { recursive: true });
  });

  it("says what is wrong in a sentence without the password", async () => {
    const refused = async (args: string[], sentence: RegExp): Promise<void> => {
      const { code, errors, output } = await queue(...args);
      expect(errors).toMatch(sentence);
      expect(errors + output).not.toContain("pass word");
      expect(code).toBe(1);
    };
    await refused(["add", "--model", model, "--out", temporary("none")], /give --list, --images or --tar/);
    await refused(["status", "--name", "a:b"], /^A queue cannot be called "a:b"/);
    await refused(["work", "--metrics", "host:many"], /"many" is no port/);
    vi.stubEnv("REDIS_PASSWORD", "a wrong pass word");
    await refused(["status"], /^Redis at 127\.0\.0\.1:\d+ refuses the password/);
    await refused(
      ["add", "--model", model, "--images", temporary("photos"), "--out", temporary("none")],
      /refuses the password/,
    );
    vi.stubEnv("REDIS_PASSWORD", "pass word");
    expect((await readdir(temporary(""))).sort()).toEqual(["again", "model.safetensors", "out", "photos"]);
  });
});
