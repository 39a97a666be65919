import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withLock } from "../../scripts/setup/lock.mjs";

let folder: string;
let path: string;
beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  folder = mkdtempSync(join(tmpdir(), "bespoke-lock-"));
  path = join(folder, "cache", "setup.lock");
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test("lets one work at a time and leaves nothing behind", async () => {
  let inside = 0;
  const work = async () => {
    inside += 1;
    expect(inside).toBe(1);
    await sleep(20);
    inside -= 1;
    return "done";
  };
  expect(await Promise.all([withLock(path, work), withLock(path, work)])).toEqual(["done", "done"]);
  expect(existsSync(path)).toBe(false);
});

test("is released when the work fails", async () => {
  await expect(withLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(existsSync(path)).toBe(false);
});

test("is taken over from a process that died", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  await withLock(path, () => Promise.resolve());
  const holder = { pid, host: hostname(), started: "", since: Date.now(), command: "" };
  writeFileSync(path, JSON.stringify(holder));
  expect(await withLock(path, () => Promise.resolve("taken over"))).toBe("taken over");
});
