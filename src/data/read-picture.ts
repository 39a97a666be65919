import { readFile } from "node:fs/promises";
import { recognise } from "../files/recognise.ts";
import { messageOf } from "../message-of.ts";
import { DataError } from "./data-error.ts";

/** What a file is in a data set. */
export type Role = "photo" | "mask";

/**
 * The bytes of a file.
 *
 * @throws DataError when they cannot be read.
 */
export async function readPictureFile(file: string, role: Role): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new DataError(`The ${role} ${file} cannot be read (${messageOf(error)}): make it a readable file.`);
  });
}

/**
 * Hands the bytes of a picture to `use`.
 *
 * @param name what messages call the picture: its path, or where else it came from
 * @throws DataError when `use` fails: as it does with a DataError, else saying that the file cannot be decoded; or, where it is no
 *   picture, what it is.
 */
export async function openPicture<T>(
  bytes: Buffer,
  name: string,
  role: Role,
  use: (bytes: Buffer) => Promise<T>,
): Promise<T> {
  try {
    return await decoding(name, role, () => use(bytes));
  } catch (error) {
    const found = recognise(bytes);
    if (found === undefined || found.format === "picture") throw error;
    throw new DataError(`The ${role} ${name} is ${found.what}: ${found.mend}.`);
  }
}

/** Does a step of decoding a file; any failure becomes a DataError. */
export async function decoding<T>(file: string, role: Role, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `The ${role} ${file} cannot be decoded (${messageOf(error)}): it is truncated, damaged or of a kind not ` +
        `supported; replace it, or remove it ${role === "mask" ? "with its photo" : "(and its mask, where it has one)"}.`,
    );
  }
}
