import { hostname } from "node:os";
import { resolve } from "node:path";
import { releaseLock, takeLock } from "../../scripts/setup/lock-file.mjs";
import type { Holder } from "../../scripts/setup/lock-file.mjs";
import { RunFolderError, unwritable } from "./run-folder.ts";
import type { RunFolder } from "./run-folder.ts";

/**
 * Makes this process the only one that writes a run, until it calls what is returned or exits. Whoever only reads a run needs
 * no lock. A process that was killed leaves its lock, which is taken over with a sentence.
 *
 * @throws RunFolderError when another process writes the run, or one of another machine may do so.
 */
export function lockRun(run: RunFolder, say: (sentence: string) => void): () => void {
  const { path } = run;
  // Whatever folder the process goes to meanwhile.
  const lock = resolve(run.lock);
  let taking;
  try {
    taking = takeLock(lock);
  } catch (error) {
    throw unwritable(path, error, "make it writable");
  }
  if (!taking.taken) throw new RunFolderError(refusal(run, taking.holder));
  if (taking.from) say(`Taking ${path} over from ${describe(taking.from)}, which is gone`);
  return () => releaseLock(lock);
}

function refusal({ path, lock }: RunFolder, holder: Holder | null): string {
  if (holder === null) {
    return `${path} may be written by another process, of which ${lock} does not tell: try again in a few seconds.`;
  }
  const who = describe(holder);
  if (holder.host === hostname()) return `${path} is being written by ${who}: wait for its end, or end it.`;
  return (
    `${path} is being written by ${who}, or was: whether a process of another machine still runs cannot be seen from here. ` +
    `If it does not, delete ${lock}.`
  );
}

function describe({ pid, host, since, command }: Holder): string {
  const on = host === hostname() ? "" : ` on ${host}`;
  const begun = new Date(since).toISOString().replace(/\.\d+Z$/, "Z");
  return `process ${pid}${on} (${command}, since ${begun})`;
}
