import { readFile, stat } from "node:fs/promises";
import type { z } from "zod";
import { DataError } from "../data-error.ts";
import { messageOf } from "../../message-of.ts";

/** A JavaScript string holds no more characters. */
const LONGEST_TEXT = 500 * 1024 * 1024;

/**
 * The text of a file from a labelling tool.
 *
 * @throws DataError when it cannot be read, or is larger than 500 MiB
 */
export async function readForeignText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > LONGEST_TEXT) {
      throw new DataError(
        `${file} is ${(size / 2 ** 30).toFixed(1)} GiB, more than the 0.5 GiB that can be read at once: export it in parts, ` +
          "or as a file a photo.",
      );
    }
    return (await readFile(file, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${file} cannot be read (${messageOf(error)}): make it readable.`);
  }
}

/** @throws DataError when the text is not JSON */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DataError(`${file} is not JSON (${messageOf(error)}): export it anew.`);
  }
}

/**
 * What a file says, as its format has it.
 *
 * @param format of what, for messages: `a COCO data set`
 * @throws DataError that names the first place where it is something else
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, file: string, format: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  const place = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  throw new DataError(
    `${file} is not ${format}: ${place === "" ? "it" : place.replace(/^\./, "")} is wrong (${message}); export it anew.`,
  );
}
