import { opendir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";

/** What is being written, or was when its process was killed. */
const ASIDE = /^\.(shard-\d+|shards|photos)(\.\w+)?\.[0-9a-f]{12}\.tmp$/;
/** Who works on something says so each minute: what has been untouched for so long is nobody's. Milliseconds. */
const ABANDONED_MS = 60 * 60_000;

export const isAside = (name: string): boolean => ASIDE.test(name);

/** Folders that this process has looked through. */
const seen = new Map<string, Promise<number>>();

/** {@link removeLeftovers}, the first time that this process works on shards of a folder. */
export function removeLeftoversOnce(out: string): Promise<number> {
  const folder = resolve(out);
  let removed = seen.get(folder);
  if (removed === undefined) {
    // A folder that is not there is told of by who writes to it, and may be there the next time.
    removed = removeLeftovers(folder).catch(() => {
      seen.delete(folder);
      return 0;
    });
    seen.set(folder, removed);
  }
  return removed;
}

/** Removes from a folder of outputs what killed processes have left there; returns how much. */
export async function removeLeftovers(out: string, now = Date.now()): Promise<number> {
  let removed = 0;
  for await (const { name } of await opendir(out)) {
    if (!isAside(name)) continue;
    const path = join(out, name);
    // Another worker may be quicker.
    const touched = (await stat(path).catch(() => null))?.mtimeMs ?? now;
    if (now - touched < ABANDONED_MS) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
    removed += 1;
  }
  return removed;
}
