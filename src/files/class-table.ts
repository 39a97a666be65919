/**
 * @file Names of classes in a text file: a data set's `labels.csv`, and what `convert --classes` takes.
 */
import { readFile } from "node:fs/promises";
import { messageOf } from "../message-of.ts";
import { FileError } from "./file-error.ts";
import { printable } from "./printable.ts";
import { recognise, refusalOf } from "./recognise.ts";
import { fileError, statFile } from "./transfer.ts";

/** A class and its name. */
export interface NamedClass {
  /** Where it is named, for sentences: file and line, or file and element. */
  readonly where: string;
  readonly label: number;
  /** Trimmed, not empty, and no other class's of the file. */
  readonly name: string;
}

/** Bytes; thousands of names have some ten thousand. */
const LARGEST_FILE = 1_000_000;
const NUMBERED = /^\s*("?)\d+\1\s*([,;\t])/;

/**
 * Reads a file that names classes; see {@link parseClassTable}.
 *
 * @throws {FileError} where it cannot be read, is no text in UTF-8 (or UTF-16 with a byte order mark), or as
 *   `parseClassTable` does
 */
export async function readClassTable(file: string): Promise<NamedClass[]> {
  // Before it is read: reading a pipe would wait for its writer.
  const { size } = await statFile(file);
  if (size > LARGEST_FILE) {
    throw new FileError(`Cannot read ${file}: at ${size} bytes it is too large for names of classes.`);
  }
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fileError(error, "read", file);
  });
  const found = recognise(bytes);
  if (found !== undefined) throw refusalOf(file, found);
  return parseClassTable(decoded(bytes, file), file);
}

/**
 * Names of classes: lines `number,name` in any order (a semicolon or a tab may stand for the comma, and the first line may
 * be a header of two words), a name a line in the order of the classes, or a JSON array of names. Lines end in CR, LF or
 * both; empty ones are passed over. A field may stand in quotes, in which two of them stand for one (RFC 4180).
 *
 * @param file what the text is called in messages
 * @returns the classes that are named, in the order of the text; where they are numbered not all need be
 * @throws {FileError} naming the line that is none of these, or whose name is empty, holds control characters or is
 *   another class's, or whose class is named already
 */
export function parseClassTable(text: string, file: string): NamedClass[] {
  const own = text.replace(/^\uFEFF/, "");
  const named = own.trimStart().startsWith("[") ? fromJson(own, file) : fromLines(own, file);
  checkNames(named);
  return named;
}

/** @throws {FileError} where a name is empty, holds control characters or occurs twice, or a class is named twice */
export function checkNames(named: readonly NamedClass[]): void {
  const labels = new Map<number, string>();
  const names = new Map<string, number>();
  for (const { where, label, name } of named) {
    if (name === "") throw new FileError(`${where}, has no name for class ${label}: give it one.`);
    if (/\p{Cc}/u.test(name)) {
      throw new FileError(
        `${where}, has control characters in the name of class ${label}: save it as text in UTF-8, without them.`,
      );
    }
    if (labels.has(label)) throw new FileError(`${where}, names class ${label} again: name each class once.`);
    const other = names.get(name);
    if (other !== undefined) {
      throw new FileError(
        `${where}, calls class ${label} "${printable(name, 100)}", as class ${other} is called: give each class a name ` +
          "of its own.",
      );
    }
    labels.set(label, name);
    names.set(name, label);
  }
}

function decoded(bytes: Uint8Array, file: string): string {
  const [first, second] = bytes;
  const utf16 =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : null;
  try {
    return new TextDecoder(utf16 ?? "utf-8", { fatal: true }).decode(bytes);
  } catch {
    const what = utf16 === null ? "UTF-8" : "UTF-16, as its first bytes claim";
    throw new FileError(
      `${file} is not text in ${what}${utf16 === null ? lineOf(bytes) : ""}: save it in UTF-8.`,
    );
  }
}

/** The first line that is not UTF-8. */
function lineOf(bytes: Uint8Array): string {
  const lines = new TextDecoder().decode(bytes).split(/\r\n?|\n/);
  const line = lines.findIndex((text) => text.includes("\uFFFD"));
  return ` (line ${line + 1}, "${printable(lines[line], 60)}")`;
}

function fromJson(json: string, file: string): NamedClass[] {
  let names: unknown;
  try {
    names = JSON.parse(json);
  } catch (error) {
    throw new FileError(`${file} begins as a JSON array and is none (${messageOf(error)}): mend it.`);
  }
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) {
    return names.map((name, label) => ({ where: `${file}, element ${label}`, label, name: name.trim() }));
  }
  throw new FileError(`${file} is not a JSON array of names: write ["null", "hat"], for example.`);
}

/** A line that is not empty. */
interface Row {
  readonly where: string;
  readonly line: string;
  readonly fields: readonly string[];
}

function fromLines(text: string, file: string): NamedClass[] {
  const lines = text.split(/\r\n?|\n/);
  const divider = lines.map((line) => NUMBERED.exec(line)?.[2]).find((found) => found !== undefined);
  const rows = lines.flatMap((line, i): Row[] => {
    if (line.trim() === "") return [];
    const where = `${file}, line ${i + 1}`;
    return [{ where, line, fields: fieldsOf(line, divider ?? ",", where) }];
  });
  const isHeader = ({ fields }: Row): boolean => fields.length === 2 && !/^[-+]?\d/.test(fields[0]);
  if (divider === undefined && rows.every(({ fields }) => fields.length === 1)) {
    return rows.map(({ where, fields: [name] }, label) => ({ where, label, name }));
  }
  return (rows.length > 0 && isHeader(rows[0]) ? rows.slice(1) : rows).map(({ where, line, fields }) => {
    const [label, name] = fields;
    if (/^\d{1,9}$/.test(label) && fields.length === 2) return { where, label: Number(label), name };
    throw new FileError(
      `${where}, is "${printable(line, 60)}": write a class number, a comma and a name, in quotes where it holds a comma.`,
    );
  });
}

/** The trimmed fields of a line; empty ones at its end, which spreadsheets write, are left out beyond the second. */
function fieldsOf(line: string, divider: string, where: string): string[] {
  const fields: string[] = [];
  let start = 0;
  let inQuotes = false;
  for (let i = 0; i <= line.length; i++) {
    if (line[i] === '"') inQuotes = !inQuotes;
    else if (i === line.length || (line[i] === divider && !inQuotes)) {
      fields.push(unquoted(line.slice(start, i).trim(), where));
      start = i + 1;
    }
  }
  while (fields.length > 2 && fields.at(-1) === "") fields.pop();
  return fields;
}

function unquoted(field: string, where: string): string {
  if (!field.includes('"')) return field;
  const [, quoted] = /^"((?:[^"]|"")*)"$/.exec(field) ?? [];
  if (quoted !== undefined) return quoted.replaceAll('""', '"').trim();
  throw new FileError(
    `${where}, has quotes that do not enclose a whole field, ${printable(field, 60)}: write a quote in a name as two, and the ` +
      "name in quotes.",
  );
}
