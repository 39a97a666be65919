import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** What is being written and does not have its name yet. */
const temporaries = new Set<string>();

/** Characters, so that with what is added no file system's 255 bytes are passed: one takes at most three in UTF-8. */
const LONGEST_NAME = 75;

/** A hidden name beside `path` that nothing has yet, and that is not too long where `path` is not. */
export function nameBeside(path: string): string {
  const name = basename(path).slice(0, LONGEST_NAME);
  return join(dirname(path), `.${name}.${randomBytes(6).toString("hex")}.tmp`);
}

/**
 * Lets `use` write a file or a folder under a name beside `path`. What is under that name afterwards is removed, also
 * when the process exits before; what `use` has renamed stays.
 */
export async function withTemporary<T>(path: string, use: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = nameBeside(path);
  if (temporaries.size === 0) process.on("exit", removeAll);
  temporaries.add(temporary);
  try {
    return await use(temporary);
  } finally {
    // What went well or ill before is what matters: a file that cannot be removed must not hide it.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    temporaries.delete(temporary);
    if (temporaries.size === 0) process.off("exit", removeAll);
  }
}

function removeAll(): void {
  for (const temporary of temporaries) {
    try {
      // A write that was under way may still add a file to a folder.
      rmSync(temporary, { recursive: true, force: true, maxRetries: 3, retryDelay: 20 });
    } catch {
      // Nobody is left to be told.
    }
  }
}
