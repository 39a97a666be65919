import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileError, writeFully } from "./files.ts";
import { WeightsError } from "./weights-error.ts";

/** A file of the folder: its name and its bytes in order, which need not all be in memory. */
export type FolderFile = readonly [name: string, chunks: Iterable<Uint8Array>];

/**
 * Writes a folder so that it is there whole or not at all: the files go to a temporary folder beside it, which then
 * takes its name. On failure the temporary folder is removed, and what was there is untouched.
 *
 * @param options.replaces says of a name whether a file of a folder that is there may be replaced; without it none
 *   may. A folder with others in it is refused, an empty one never.
 * @throws {WeightsError} where the folder cannot be written or may not be replaced
 */
export async function writeFolderAtomically(
  path: string,
  files: Iterable<FolderFile>,
  options: { replaces?: (name: string) => boolean } = {},
): Promise<void> {
  const target = resolve(path);
  const beside = (): string =>
    join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  const temporary = beside();
  try {
    const there = await filesAt(target);
    if (there !== null) checkReplaceable(path, there, options.replaces);
    await mkdir(temporary);
    for (const [name, chunks] of files) await writeFile(join(temporary, name), chunks);
    if (there === null) await rename(temporary, target);
    else await replaceFolder(target, temporary, beside());
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
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
    throw new WeightsError(
      `Cannot write ${path}: the folder is not empty; choose another path, or replace a model that is in it with --force.`,
    );
  }
  const other = there.find((name) => !replaces(name));
  if (other === undefined) return;
  throw new WeightsError(
    `Cannot write ${path}: the folder holds other files besides a model, ${JSON.stringify(other)} for one; choose another path.`,
  );
}

async function writeFile(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const file = await open(path, "wx");
  try {
    for (const chunk of chunks) await writeFully(file, chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A folder cannot be renamed onto another: the old one steps aside, and comes back where the new one cannot follow. */
async function replaceFolder(target: string, replacement: string, aside: string): Promise<void> {
  await rename(target, aside);
  try {
    await rename(replacement, target);
  } catch (error) {
    await rename(aside, target);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}
