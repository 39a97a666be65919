import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RunFolder, RunFolderError } from "../../src/runs/run-folder.ts";
import { lockRun } from "../../src/runs/run-lock.ts";
import { folderOf } from "../data/folder.ts";
import { lockHolder } from "../scripts/lock-holder.ts";

async function aRun(): Promise<{ run: RunFolder; said: string[]; say: (sentence: string) => void }> {
  const run = await RunFolder.create({ out: join(await folderOf(), "run"), name: "train" });
  const said: string[] = [];
  return { run, said, say: (sentence) => said.push(sentence) };
}

test("a run that another process writes is refused, and taken over when that was killed", async () => {
  const { run, said, say } = await aRun();
  const other = await lockHolder(run.lock);
  const refused = (): unknown => lockRun(run, say);
  expect(refused).toThrow(RunFolderError);
  expect(refused).toThrow(
    new RegExp(
      `^${run.path} is being written by process ${other.pid} \\(hold-lock\\.mjs .*, since \\d{4}-\\d\\d-\\d\\dT[\\d:]+Z\\): ` +
        `wait for its end, or end it\\.$`,
    ),
  );
  await other.end("SIGKILL");
  const unlock = lockRun(run, say);
  expect(said).toEqual([
    expect.stringMatching(
      new RegExp(`^Taking ${run.path} over from process ${other.pid} .*, which is gone$`),
    ),
  ]);
  expect(JSON.parse(await readFile(run.lock, "utf8"))).toMatchObject({ pid: process.pid, host: hostname() });
  unlock();
  await expect(readFile(run.lock)).rejects.toThrow("ENOENT");
});

test("a run that another machine may write is refused with what to delete", async () => {
  const { run, said, say } = await aRun();
  const holder = { pid: 7, host: "gpu-7", started: "", since: 0, command: "train.ts --resume run" };
  await writeFile(run.lock, JSON.stringify(holder));
  expect(() => lockRun(run, say)).toThrow(
    `${run.path} is being written by process 7 on gpu-7 (train.ts --resume run, since 1970-01-01T00:00:00Z), or was: whether ` +
      `a process of another machine still runs cannot be seen from here. If it does not, delete ${run.lock}.`,
  );
  await writeFile(run.lock, "");
  expect(() => lockRun(run, say)).toThrow("try again in a few seconds");
  expect(said).toEqual([]);
});
