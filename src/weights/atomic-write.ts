import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileError, writeFully } from "./files.ts";

/**
 * Writes a file so that at every moment, a crash and a power cut included, `path` is either the old file or the
 * whole new one: the bytes go to a temporary file beside it, are forced to disk, and take its name by a rename.
 * On failure the temporary file is removed and the old file is untouched.
 *
 * @param chunks the file's bytes in order; taken one at a time, so they need not all be in memory
 * @throws {WeightsError} where the file cannot be written (no folder, no permission, disk full)
 */
export async function writeFileAtomically(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx");
    try {
      for (const chunk of chunks) await writeFully(file, chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, "write", path);
  }
  await syncFolder(dirname(path));
}

/** Makes a rename last. File systems that cannot sync a folder (Windows, some network ones) need not. */
async function syncFolder(folder: string): Promise<void> {
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
