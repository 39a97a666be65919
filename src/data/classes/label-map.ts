import { readFile } from "node:fs/promises";
import { fileError, statFile } from "../../files/transfer.ts";
import { DataError } from "../data-error.ts";

/** A line of a label map. */
export interface Mapping {
  /** File and line, for sentences. */
  readonly where: string;
  readonly from: Source;
  readonly to: Target;
}

/** What is mapped: numbers from `first` to `last`, a colour `0xRRGGBB`, a class or label by its name, or all that no other line names. */
export type Source =
  | { readonly kind: "values"; readonly first: number; readonly last: number }
  | { readonly kind: "colour"; readonly colour: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "others" };

export type Target =
  | { readonly kind: "class"; readonly label: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "ignore" };

/** Bytes; thousands of lines have some ten thousand. */
const LARGEST_FILE = 1_000_000;

/**
 * Reads the file of `--label-map`: lines `from,to` (or `from;to`, or with a tab, or `from -> to`).
 *
 * `from` is a number of a mask, a range of them `128-255`, a colour `#ff8000` or `255 128 0`, the name of a class or label,
 * or `*` for all others, but for the background of photos labelled with shapes. `to` is the name or the number of a class, or `ignore` for pixels that do not count. Several may
 * become one. Empty lines and those that begin with `# ` are passed over, and so is a first line `from,to` or `value,class`.
 *
 * @throws FileError when it cannot be read; DataError that names the line which is none of these
 */
export async function readLabelMap(file: string): Promise<readonly Mapping[]> {
  const { size } = await statFile(file);
  if (size > LARGEST_FILE) {
    throw new DataError(`Cannot read ${file}: at ${size} bytes it is too large for a label map.`);
  }
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileError(error, "read", file);
  });
  return parseLabelMap(text, file);
}

/** See {@link readLabelMap}. */
export function parseLabelMap(text: string, file: string): readonly Mapping[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n?|\n/);
  const mappings = lines.flatMap((line, i): Mapping[] => {
    const where = `${file}, line ${i + 1}`;
    if (line.trim() === "" || /^\s*#(?:\s|$)/.test(line) || (i === 0 && HEADER.test(line))) return [];
    const divider = DIVIDERS.find((text) => line.includes(text)) ?? ",";
    const [from, to, ...more] = line.split(divider).map((field) => field.trim());
    if (!from || !to || more.length > 0) {
      throw new DataError(
        `${where}, is ${JSON.stringify(line.slice(0, 60))}: write what becomes what, 3,hat or #ff8000,hat or 0,ignore.`,
      );
    }
    return [{ where, from: sourceOf(from, where), to: targetOf(to, where) }];
  });
  if (mappings.length === 0) {
    throw new DataError(`${file} maps nothing: write lines such as 3,hat or #ff8000,hat or 0,ignore.`);
  }
  checkOnce(mappings);
  return mappings;
}

/** The first that a line holds divides it: names may have the later ones in them. */
const DIVIDERS = ["->", "\t", ";", ","];
const HEADER = /^\s*(?:from|value|colou?r|label|key)\s*[,;\t]\s*(?:to|class|label|name)\s*$/i;
const MOST_VALUE = 65_535;

function sourceOf(text: string, where: string): Source {
  if (text === "*") return { kind: "others" };
  const hex = /^#([0-9a-f]{6})$/i.exec(text)?.[1];
  if (hex !== undefined) return { kind: "colour", colour: parseInt(hex, 16) };
  const rgb = /^(\d{1,3}) +(\d{1,3}) +(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (rgb !== undefined) {
    if (rgb.some((level) => level > 255)) {
      throw new DataError(`${where}, has the colour ${text}: red, green and blue go from 0 to 255.`);
    }
    return { kind: "colour", colour: (rgb[0] << 16) | (rgb[1] << 8) | rgb[2] };
  }
  const [, low, high = low] = /^(\d{1,9})(?:\s*-\s*(\d{1,9}))?$/.exec(text) ?? [];
  if (low === undefined) return { kind: "name", name: unquoted(text) };
  const [first, last] = [Number(low), Number(high)];
  if (last < first || last > MOST_VALUE) {
    throw new DataError(
      `${where}, has the values ${text}: give numbers from 0 to ${MOST_VALUE}, the lower first.`,
    );
  }
  return { kind: "values", first, last };
}

function targetOf(text: string, where: string): Target {
  if (text.toLowerCase() === "ignore") return { kind: "ignore" };
  if (!/^\d+$/.test(text)) return { kind: "name", name: unquoted(text) };
  const label = Number(text);
  if (label > 255) throw new DataError(`${where}, maps to class ${text}: classes go from 0 to 255.`);
  return { kind: "class", label };
}

const unquoted = (text: string): string => /^"(.*)"$/.exec(text)?.[1] ?? text;

function checkOnce(mappings: readonly Mapping[]): void {
  const seen = new Map<string, string>();
  const once = (key: string, called: string, where: string): void => {
    const before = seen.get(key);
    if (before !== undefined) {
      throw new DataError(`${where}, maps ${called} again, which ${before} maps: map it once.`);
    }
    seen.set(key, where);
  };
  for (const { where, from } of mappings) {
    if (from.kind === "others") once("*", "all others (*)", where);
    else if (from.kind === "name") once(`name ${from.name}`, JSON.stringify(from.name), where);
    else if (from.kind === "colour") once(`colour ${from.colour}`, "a colour", where);
    else
      for (let value = from.first; value <= from.last; value++)
        once(`value ${value}`, `value ${value}`, where);
  }
}
