import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PACKAGE_FOLDER, VERSION } from "../files/package.ts";

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
  const processors = cpus();
  return {
    bespoke: VERSION,
    commit: await commitOf(PACKAGE_FOLDER),
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

async function commitOf(folder: string): Promise<string | null> {
  // An installed package lies in somebody else's repository at most.
  if (!existsSync(join(folder, ".git"))) return null;
  const git = promisify(execFile)("git", ["describe", "--always", "--dirty", "--abbrev=12"], { cwd: folder });
  return git.then(({ stdout }) => stdout.trim()).catch(() => null);
}
