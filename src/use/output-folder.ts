import { stat } from "node:fs/promises";
import { DataError } from "../data/data-error.ts";
import { messageOf } from "../message-of.ts";
import { makeFolder } from "../files/make-folder.ts";

/**
 * Makes a folder for output and those above it; what is there stays.
 *
 * @throws DataError when it cannot be made.
 */
export async function makeOutputFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
    if (!(await stat(path)).isDirectory()) throw new Error("it is a file");
  } catch (error) {
    throw new DataError(
      `The output folder ${path} cannot be made (${messageOf(error)}): give another --out.`,
    );
  }
}
