import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { releaseLock, takeLock } from "../../scripts/setup/lock-file.mjs";
import type { Holder } from "../../scripts/setup/lock-file.mjs";
import { startOf } from "../../scripts/setup/process-start.mjs";
import { folderOf } from "../data/folder.ts";
import { lockHolder } from "./lock-holder.ts";

/** A lock file as another process would have left it. */
function leave(path: string, holder: Partial<Holder>): void {
  const { pid } = process;
  const whole = { pid, host: hostname(), started: startOf(pid), since: 0, command: "train.ts" };
  writeFileSync(path, JSON.stringify({ ...whole, ...holder }));
}

describe("takeLock", () => {
  it("lets one process have a lock, and leaves nothing behind when that ends", async () => {
    const folder = await folderOf();
    const path = `${folder}/run.lock`;
    const first = await lockHolder(path);
    expect(first.taking).toEqual({ taken: true, from: null });
    const refused = takeLock(path);
    expect(refused).toMatchObject({ taken: false, holder: { pid: first.pid, host: hostname() } });
    expect(refused.taken ? "" : refused.holder?.command).toBe(`hold-lock.mjs ${path}`);
    await first.end();
    expect(await readdir(folder)).toEqual([]);
    expect(takeLock(path)).toEqual({ taken: true, from: null });
    expect(takeLock(path)).toMatchObject({ taken: false, holder: { pid: process.pid } });
    releaseLock(path);
    expect(await readdir(folder)).toEqual([]);
  });

  it("takes over from a process that was killed, one of several that try at once", async () => {
    const folder = await folderOf();
    const path = `${folder}/run.lock`;
    const killed = await lockHolder(path);
    await killed.end("SIGKILL");
    expect(await readdir(folder)).toEqual(["run.lock"]);
    const holders = await Promise.all([1, 2, 3, 4].map(() => lockHolder(path)));
    const taken = holders.filter(({ taking }) => taking.taken);
    expect(taken.map(({ taking }) => taking)).toMatchObject([{ from: { pid: killed.pid } }]);
    expect((JSON.parse(readFileSync(path, "utf8")) as Holder).pid).toBe(taken[0].pid);
    await Promise.all(holders.map((holder) => holder.end()));
    expect(await readdir(folder)).toEqual([]);
  });

  it("takes over from a process whose id another one has by now", async () => {
    const path = `${await folderOf()}/run.lock`;
    leave(path, { started: "another boot 17" });
    expect(takeLock(path)).toMatchObject({ taken: true, from: { started: "another boot 17" } });
    releaseLock(path);
    leave(path, {});
    expect(takeLock(path)).toMatchObject({ taken: false, holder: { pid: process.pid } });
  });

  it("is not held up for ever by a process that was killed while it took over", async () => {
    const path = `${await folderOf()}/run.lock`;
    leave(path, { started: "another boot 17" });
    writeFileSync(`${path}.claim`, "");
    expect(takeLock(path)).toMatchObject({ taken: false });
    utimesSync(`${path}.claim`, 1e9, 1e9);
    // The first removes what is left of it.
    expect([takeLock(path), takeLock(path)].map(({ taken }) => taken)).toEqual([false, true]);
    releaseLock(path);
  });

  it("leaves the lock of another host alone, unless it is told when that counts as abandoned", async () => {
    const path = `${await folderOf()}/run.lock`;
    leave(path, { host: "elsewhere", pid: 1 });
    utimesSync(path, 1e9, 1e9);
    expect(takeLock(path)).toMatchObject({ taken: false, holder: { host: "elsewhere", pid: 1 } });
    expect(takeLock(path, { abandonedAfter: 60 })).toMatchObject({ taken: true });
    releaseLock(path);
  });

  it("gives a lock that cannot be read the time to be written", async () => {
    const path = `${await folderOf()}/run.lock`;
    writeFileSync(path, "");
    expect(takeLock(path)).toEqual({ taken: false, holder: null });
    utimesSync(path, 1e9, 1e9);
    expect(takeLock(path)).toEqual({ taken: true, from: null });
    // Somebody has removed it, and another process has made its own.
    leave(path, { host: "elsewhere" });
    releaseLock(path);
    expect(readFileSync(path, "utf8")).toContain("elsewhere");
  });
});
