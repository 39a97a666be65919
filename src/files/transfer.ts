import { open, stat, type FileHandle } from "node:fs/promises";
import { FileError } from "./file-error.ts";
import { messageOf } from "../message-of.ts";

/** Node refuses single reads and writes of 2 GiB and more. */
const LARGEST_TRANSFER = 2 ** 28;

const READ_FAILURES: Record<string, string> = {
  ENOENT: "there is no such file; check the path",
  ENOTDIR: "a part of the path is a file, not a folder; check the path",
  EISDIR: "it is a folder, not a file; give the path of the file in it",
  EACCES: "permission denied; allow this user to read it",
  EPERM: "permission denied; allow this user to read it",
  EIO: "the disk reports a read error; copy the file anew",
};

const WRITE_FAILURES: Record<string, string> = {
  ENOENT: "its folder does not exist; create it or choose another path",
  ENOTDIR: "a part of the path is a file, not a folder; choose another path",
  EISDIR: "a folder of that name is in the way; choose another path",
  ENOTEMPTY: "a folder of that name is in the way; choose another path",
  EACCES: "permission denied; allow this user to write to its folder or choose another path",
  EPERM: "permission denied; allow this user to write to its folder or choose another path",
  EROFS: "its file system is read-only; choose another path",
  ENOSPC: "the disk is full; free some space or choose another path",
  EDQUOT: "the disk quota is used up; free some space or choose another path",
  EFBIG: "it would be larger than the file size limit; raise the limit or choose another path",
  ENAMETOOLONG: "the name is too long; choose a shorter one",
  EIO: "the disk reports a write error; choose another path",
};

/** An error of Node's `fs` as one sentence; anything else comes back as it is. */
export function fileError(error: unknown, action: "read" | "write", path: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (typeof code !== "string" || error instanceof FileError) return error;
  const why = (action === "read" ? READ_FAILURES : WRITE_FAILURES)[code] ?? messageOf(error);
  return new FileError(`Cannot ${action} ${path}: ${why}.`, { cause: error });
}

/**
 * Opens a regular file, lets `use` read from it, and closes it whatever happens.
 *
 * @throws {FileError} where the file cannot be opened or read
 */
export async function withFile<T>(
  path: string,
  use: (file: FileHandle, bytes: number) => Promise<T>,
): Promise<T> {
  try {
    // Before opening: opening a pipe would wait for its writer.
    const { size } = await statFile(path);
    const file = await open(path, "r");
    try {
      return await use(file, size);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** The size of a regular file in bytes; throws a {@link FileError} for anything else. */
export async function statFile(path: string): Promise<{ size: number }> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
    if (!info.isFile()) throw new FileError(`Cannot read ${path}: it is not a regular file.`);
    return { size: info.size };
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** Fills `target` with the file's bytes from `position`; throws when the file ends before. */
export async function readFully(
  file: FileHandle,
  path: string,
  target: Uint8Array,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < target.byteLength) {
    const length = Math.min(target.byteLength - done, LARGEST_TRANSFER);
    const { bytesRead } = await file.read(target, done, length, position + done);
    if (bytesRead === 0) {
      throw new FileError(`Cannot read ${path}: it ends at byte ${position + done}; copy the file anew.`);
    }
    done += bytesRead;
  }
}

/** Writes a file that must not be there yet and forces it to disk; ends after a chunk where the signal is aborted. */
export async function writeNewFile(
  path: string,
  chunks: Iterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const file = await open(path, "wx");
  try {
    for (const chunk of chunks) {
      signal?.throwIfAborted();
      await writeFully(file, chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Appends all of `source` to the file. */
async function writeFully(file: FileHandle, source: Uint8Array): Promise<void> {
  let done = 0;
  while (done < source.byteLength) {
    const length = Math.min(source.byteLength - done, LARGEST_TRANSFER);
    const { bytesWritten } = await file.write(source, done, length, null);
    done += bytesWritten;
  }
}
