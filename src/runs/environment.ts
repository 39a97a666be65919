import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { promisify } from "node:util";

/** Where a run was made: what one needs to know to compare it with another. */
export interface Environment {
  readonly bespoke: string;
  /** Commit of the sources, with `-dirty` when they were changed; null outside a checkout. */
  readonly commit: string | null;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly adapter: string;
  readonly date: string;
  readonly arguments: readonly string[];
}

export async function describeEnvironment(adapter: string, date = new Date()): Promise<Environment> {
  const root = new URL("../../", import.meta.url);
  const manifest = JSON.parse(await readFile(new URL("package.json", root), "utf8")) as { version: string };
  const git = promisify(execFile)("git", ["describe", "--always", "--dirty", "--abbrev=12"], { cwd: root });
  const processors = cpus();
  return {
    bespoke: manifest.version,
    commit: await git.then(({ stdout }) => stdout.trim()).catch(() => null),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryBytes: totalmem(),
    adapter,
    date: date.toISOString(),
    arguments: process.argv.slice(2),
  };
}
