import { readFile } from "node:fs/promises";
import { fileError, statFile } from "../files/transfer.ts";
import { FileError } from "../files/file-error.ts";

/** Bytes; thousands of names have some ten thousand. */
const LARGEST_FILE = 1_000_000;
const NUMBERED = /^("?)(\d+)\1\s*,(.*)$/;
const NUMBERED_OTHERWISE = /^("?)\d+\1\s*[;\t]/;

/**
 * Reads a file that names classes, in UTF-8; see {@link parseClassNames}.
 *
 * @throws {FileError} where it cannot be read, is no text, or names classes in no way that is known
 */
export async function readClassNames(file: string): Promise<string[]> {
  // Before it is read: reading a pipe would wait for its writer.
  const { size } = await statFile(file);
  if (size > LARGEST_FILE) {
    throw new FileError(`Cannot read ${file}: at ${size} bytes it is too large for names of classes.`);
  }
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fileError(error, "read", file);
  });
  try {
    return parseClassNames(new TextDecoder("utf-8", { fatal: true }).decode(bytes), file);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`${file} is not text in UTF-8: save it as that.`);
  }
}

/**
 * Names of classes: a JSON array, lines `number,name` in the order of the numbers 0, 1, 2 …, as a data set's `labels.csv`
 * has them (its header is passed over), or a name a line.
 *
 * @throws {FileError} where the array holds other than names, the numbers are not in order or divided from the names
 *   by another character, or a name is empty or holds control characters
 */
export function parseClassNames(text: string, file: string): string[] {
  const own = text.replace(/^\uFEFF/, "").trim();
  const names = own.startsWith("[") ? fromJson(own, file) : fromLines(own.split(/\r\n?|\n/), file);
  for (const [i, name] of names.entries()) {
    if (name === "") throw new FileError(`${file} has no name for class ${i}: give it one.`);
    if (/\p{Cc}/u.test(name)) {
      throw new FileError(
        `${file} has control characters in the name of class ${i}: save it as text in UTF-8, without them.`,
      );
    }
  }
  return names;
}

function fromJson(json: string, file: string): string[] {
  const names = parsedOrNull(json);
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw new FileError(`${file} is not a JSON array of names: write ["null", "hat"], for example.`);
}

function fromLines(all: readonly string[], file: string): string[] {
  const lines = all.map((line) => line.trim()).filter((line) => line !== "");
  if (lines.some((line) => NUMBERED_OTHERWISE.test(line))) {
    throw new FileError(
      `${file} divides numbers from names by a semicolon or a tab: put a comma there, as in 0,null.`,
    );
  }
  const rows = lines.map((line) => NUMBERED.exec(line));
  if (rows.every((row) => row === null)) return lines;
  if (rows[0] === null) rows.shift();
  return rows.map((row, i) => {
    if (row === null) throw new FileError(`${file} does not number all of its names: give each its number.`);
    if (Number(row[2]) === i) return unquoted(row[3].trim());
    throw new FileError(`${file} names class ${row[2]} where class ${i} should be: name them in order.`);
  });
}

/** A field of a CSV file: in quotes, two of them stand for one. */
function unquoted(field: string): string {
  const quoted = /^"(.*)"$/.exec(field);
  return quoted === null ? field : quoted[1].replaceAll('""', '"').trim();
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
