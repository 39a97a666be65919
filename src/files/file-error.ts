/**
 * A file that cannot be read, written or used. The message is one sentence for the user: what is wrong, where, and how
 * to mend it.
 */
export class FileError extends Error {
  override readonly name: string = "FileError";
}
