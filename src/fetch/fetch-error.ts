import { messageOf } from "../message-of.ts";

/**
 * A download that cannot be done. The message is one sentence for the user: what is wrong, where, and what to do
 * instead.
 */
export class FetchError extends Error {
  override readonly name = "FetchError";
}

const WRITE_FAILURES: Record<string, string> = {
  EACCES: "permission denied; allow this user to write there or choose another folder",
  EPERM: "permission denied; allow this user to write there or choose another folder",
  EROFS: "its file system is read-only; choose another folder",
  ENOSPC: "the disk is full; free some space and run the same command again, which goes on from here",
  EDQUOT:
    "the disk quota is used up; free some space and run the same command again, which goes on from here",
  ENOTDIR: "a part of the path is a file, not a folder; choose another folder",
  EEXIST: "a file of that name is in the way; remove it or choose another folder",
  EISDIR: "a folder of that name is in the way; remove it or choose another folder",
  EIO: "the disk reports an error; choose another folder",
};

/** An error of Node's `fs` as one sentence; anything else comes back as it is. */
export function fileError(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof FetchError || typeof code !== "string" || typeof syscall !== "string") return error;
  return new FetchError(`Cannot write ${path}: ${WRITE_FAILURES[code] ?? messageOf(error)}.`, {
    cause: error,
  });
}
