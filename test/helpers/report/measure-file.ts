import { readFileSync } from "node:fs";
import { afterAll } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Seconds of processor time that a file of tests took, its child processes among them where the system counts them. */
    cpuSeconds?: number;
  }
}

// Several files may share a process: each is charged with what the process used since the one before it.
const counted = globalThis as { bespokeCpuSeconds?: number };

// eslint-disable-next-line no-empty-pattern -- vitest reads which fixtures are wanted from the pattern
afterAll(({}, file) => {
  const total = ownSeconds() + childrenSeconds();
  file.meta.cpuSeconds = total - (counted.bespokeCpuSeconds ?? 0);
  counted.bespokeCpuSeconds = total;
});

function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What the child processes used that have ended, on Linux: Node has no call for it. */
function childrenSeconds(): number {
  if (process.platform !== "linux") return 0;
  // "pid (name) state …": the name may hold spaces; cutime and cstime are fields 16 and 17 of proc(5), in ticks of 10 ms.
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)!.split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
