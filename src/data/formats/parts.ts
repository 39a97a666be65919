import { basename, extname } from "node:path/posix";
import { readForeignText } from "../annotations/foreign.ts";
import { count, DataError } from "../data-error.ts";
import type { Pair, Part } from "./format.ts";
import type { Place } from "./place.ts";

const PARTS: Readonly<Record<string, Part>> = {
  ...{ train: "train", training: "train", trn: "train" },
  ...{ val: "val", valid: "val", validation: "val", dev: "val" },
  ...{ test: "test", testing: "test", tst: "test" },
};

/** The part that a folder or a list of this name stands for. */
export const partNamed = (name: string): Part | undefined =>
  Object.hasOwn(PARTS, name.toLowerCase()) ? PARTS[name.toLowerCase()] : undefined;

/** The part of a path by the first of its folders that is named as one. */
export const partOfPath = (path: string): Part | undefined =>
  path
    .split("/")
    .slice(0, -1)
    .map(partNamed)
    .find((part) => part !== undefined);

/** Folders where lists of a split lie. */
const LIST_FOLDERS = ["", "splits", "split", "lists"];

/**
 * Puts pairs into the parts that `train.txt`, `val.txt` and `test.txt` say, which name a photo a line, with or without its
 * folder and extension; a second column, its mask, is passed over. Pairs that no list names are left out, and counted.
 *
 * @throws DataError for a line that names no pair, or a pair that two lists name
 */
export async function partsByLists(
  place: Place,
  pairs: readonly Pair[],
  say: (sentence: string) => void,
): Promise<readonly Pair[]> {
  const lists = await listsOf(place);
  if (!lists.some(({ part }) => part === "train")) return pairs;
  const byName = new Map<string, Pair[]>();
  for (const pair of pairs) {
    for (const name of new Set([pair.name, basename(pair.name)]))
      byName.set(name, [...(byName.get(name) ?? []), pair]);
  }
  const parts = new Map<Pair, { part: Part; file: string }>();
  for (const { file, part } of lists) {
    const lines = (await readForeignText(file)).split(/\r\n?|\n/);
    if (lines.every((line) => line.trim() === "")) {
      throw new DataError(`${file} names no photo: name some, or remove the list.`);
    }
    lines.forEach((line, i) => {
      const [named] = line.trim().split(/[\s,;]+/);
      if (named === "") return;
      const pair = find(byName, named);
      if (pair === undefined) {
        throw new DataError(
          `${file}, line ${i + 1}, names ${JSON.stringify(named)}, and there is no such photo: remove the line or add the photo and its mask.`,
        );
      }
      const before = parts.get(pair);
      if (before !== undefined && before.part !== part) {
        throw new DataError(
          `${file}, line ${i + 1}, names ${JSON.stringify(named)}, as ${before.file} does: a photo is in one part only.`,
        );
      }
      parts.set(pair, { part, file });
    });
  }
  const left = pairs.length - parts.size;
  if (left > 0)
    say(
      `${count(left, "photo")} of ${pairs.length} ${left === 1 ? "is" : "are"} in none of the lists ${lists.map(({ file }) => basename(file)).join(", ")}: passed over.`,
    );
  return pairs.flatMap((pair) => {
    const found = parts.get(pair);
    return found === undefined ? [] : { ...pair, part: found.part };
  });
}

async function listsOf(place: Place): Promise<{ file: string; part: Part }[]> {
  for (const folder of LIST_FOLDERS) {
    const lists = ((await place.entries(folder)) ?? []).flatMap((entry) => {
      const part = extname(entry.name) === ".txt" ? partNamed(entry.name.slice(0, -4)) : undefined;
      if (part === undefined || entry.isDirectory()) return [];
      return [{ file: place.file(folder === "" ? entry.name : `${folder}/${entry.name}`), part }];
    });
    if (lists.length > 0) return lists;
  }
  return [];
}

/** A pair by what a list calls its photo; undefined where there is none or more than one. */
function find(byName: ReadonlyMap<string, readonly Pair[]>, named: string): Pair | undefined {
  const path = named.replaceAll("\\", "/").normalize();
  const bare = path.slice(0, path.length - extname(path).length);
  for (const name of [path, bare, basename(path), basename(bare)]) {
    const pairs = byName.get(name);
    if (pairs?.length === 1) return pairs[0];
  }
  return undefined;
}
