/**
 * A file that cannot be read, written or used. The message is one sentence for the user: what is wrong, where, and how
 * to mend it.
 */
export class FileError extends Error {
  /** `FileError`, or the name of the class that is made of it. */
  override readonly name: string = "FileError";
}
