import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError } from "../data/data-error.ts";
import { messageOf } from "../message-of.ts";
import { makeFolder } from "../files/make-folder.ts";

/**
 * Makes a folder for output and those above it; what is there stays.
 *
 * @param flag what the user gives it by
 * @throws DataError when it cannot be made.
 */
export async function makeOutputFolder(path: string, flag = "--out"): Promise<void> {
  try {
    await makeFolder(path);
    if (!(await stat(path)).isDirectory()) throw new Error("it is a file");
  } catch (error) {
    throw new DataError(
      `The output folder ${path} cannot be made (${messageOf(error)}): give another ${flag}.`,
    );
  }
}

/**
 * Makes the folder of a file for output.
 *
 * @param flag what the user gives the file by
 * @throws DataError when it cannot be made, or the file's name is a folder's.
 */
export async function makeFolderOfOutput(file: string, flag: string): Promise<void> {
  await makeOutputFolder(dirname(file), flag);
  const there = await stat(file).catch(() => null);
  if (there?.isDirectory()) {
    throw new DataError(`The output ${file} is a folder: give ${flag} the name of a file.`);
  }
}
