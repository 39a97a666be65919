import { renameSync } from "node:fs";
import { mkdir, readdir, realpath, rename, rmdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileError, writeNewFile } from "./transfer.ts";
import { nameBeside, withTemporary } from "./temporary.ts";
import { FileError } from "./file-error.ts";

/** A file of the folder: its name and its bytes in order, which need not all be in memory. */
export type FolderFile = readonly [name: string, chunks: Iterable<Uint8Array>];

export interface AtomicFolderOptions {
  /** Says of a name whether a file of a folder that is there may be replaced; without it none may. */
  readonly replaces?: ((name: string) => boolean) | undefined;
  /** When it is aborted before the folder has its name, nothing is left of it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a folder so that it is there whole or not at all: the files go to a temporary folder beside it, which then
 * takes its name. On failure the temporary folder is removed, and what was there is untouched. A folder with files that
 * may not be replaced is refused, an empty one never; a link to a folder is followed. Only a process that is killed in the
 * instant between the two renames of a replacement leaves no folder: the old one is then beside it, under a hidden name.
 *
 * @throws {FileError} where the folder cannot be written or may not be replaced; the signal's reason when it is
 *   aborted
 */
export async function writeFolderAtomically(
  path: string,
  files: Iterable<FolderFile>,
  { replaces, signal }: AtomicFolderOptions = {},
): Promise<void> {
  const target = await realpath(path).catch(() => resolve(path));
  try {
    const there = await filesAt(target);
    if (there !== null) checkReplaceable(path, there, replaces);
    await withTemporary(target, async (temporary) => {
      await mkdir(temporary);
      for (const [name, chunks] of files) await writeNewFile(join(temporary, name), chunks, signal);
      signal?.throwIfAborted();
      if (there !== null && there.length > 0) return exchange(target, temporary);
      // Fails where files have come since.
      if (there !== null) await rmdir(target);
      await rename(temporary, target);
    });
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/** The names of the files in a folder, or null where there is none. */
async function filesAt(folder: string): Promise<string[] | null> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function checkReplaceable(
  path: string,
  there: readonly string[],
  replaces?: (name: string) => boolean,
): void {
  if (there.length === 0) return;
  if (replaces === undefined) {
    throw new FileError(
      `Cannot write ${path}: the folder is not empty; choose another path, or replace a model that is in it with --force.`,
    );
  }
  const other = there.find((name) => !replaces(name));
  if (other === undefined) return;
  throw new FileError(
    `Cannot write ${path}: the folder holds other files besides a model, ${JSON.stringify(other)} for one; choose another path.`,
  );
}

/**
 * Gives two folders each other's names, by renames since none can be renamed onto another; where the second fails, the
 * first is undone. At one go, so that no signal's handler can end the process in between.
 */
function exchange(target: string, temporary: string): void {
  const aside = nameBeside(target);
  renameSync(target, aside);
  try {
    renameSync(temporary, target);
  } catch (error) {
    renameSync(aside, target);
    throw error;
  }
  renameSync(aside, temporary);
}
