import { link, lstat, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError, writeNewFile } from "./transfer.ts";
import { withTemporary } from "./temporary.ts";
import { FileError } from "./file-error.ts";

/** How a file is written. */
export interface AtomicWriteOptions {
  /** Refuse a path where there is something, even what came there while the file was written; by default it is replaced. */
  readonly exclusive?: boolean | undefined;
  /** When it is aborted before the file has its name, nothing is left of it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a file so that at every moment, a crash and a power cut included, `path` is either the old file or the
 * whole new one: the bytes go to a temporary file beside it, are forced to disk, and take its name by a rename.
 * On failure the temporary file is removed and the old file is untouched.
 *
 * @param chunks the file's bytes in order; taken one at a time, so they need not all be in memory
 * @throws {FileError} where the file cannot be written (no folder, no permission, disk full) or may not be replaced;
 *   the signal's reason when it is aborted
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<Uint8Array>,
  { exclusive = false, signal }: AtomicWriteOptions = {},
): Promise<void> {
  try {
    await withTemporary(path, async (temporary) => {
      await writeNewFile(temporary, chunks, signal);
      signal?.throwIfAborted();
      await (exclusive ? takeFreeName(temporary, path) : rename(temporary, path));
    });
  } catch (error) {
    throw fileError(error, "write", path);
  }
  await syncFolder(dirname(path));
}

/**
 * Refuses a path where there is something, a link that leads nowhere included.
 *
 * @throws {FileError} where there is
 */
export async function checkFree(path: string): Promise<void> {
  if ((await lstat(path).catch(() => null)) === null) return;
  throw new FileError(
    `Cannot write ${path}: there is something of that name; choose another path or replace it with --force.`,
  );
}

/** Gives a file another name, unless there is something of that name. */
async function takeFreeName(file: string, path: string): Promise<void> {
  try {
    // Alone of all ways to give a name it fails where there is one.
    await link(file, path);
  } catch {
    await checkFree(path);
    // The file system has no links; what else is wrong, this says.
    await rename(file, path);
  }
}

/** Makes a rename last. File systems that cannot sync a folder (Windows, some network ones) need not. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch {
    // The new file is complete and in place either way.
  } finally {
    await handle.close();
  }
}
