import { extname } from "node:path/posix";
import { readForeignText } from "../annotations/foreign.ts";
import { count, DataError } from "../data-error.ts";
import type { Pair, Part } from "./format.ts";
import { partNamed } from "./parts.ts";
import type { Place } from "./place.ts";

interface List {
  readonly file: string;
  /** Its name without `.txt`, in small letters. */
  readonly name: string;
}

/** A line of a list. */
interface Named {
  readonly name: string;
  readonly where: string;
}

const BOTH = "trainval";

/**
 * Puts pairs into the parts that the lists of Pascal VOC say: `train.txt`, `val.txt`, `test.txt`, a name a line. What is only in
 * `trainval.txt` is trained on where there is a `val.txt`, and validates where there is but a `train.txt`. Where there is none of
 * them, the photos that other lists name have no part. Pairs that no list names are left out, and counted.
 *
 * @param folder of the lists, below the place
 * @throws DataError for a line that names no pair, but in `test.txt`, and for a photo in two parts
 */
export async function partsByVocLists(
  place: Place,
  folder: string,
  pairs: readonly Pair[],
  say: (sentence: string) => void,
): Promise<readonly Pair[]> {
  const lists = ((await place.entries(folder)) ?? [])
    .filter((entry) => !entry.isDirectory() && extname(entry.name).toLowerCase() === ".txt")
    .map(({ name }): List => ({
      file: place.file(`${folder}/${name}`),
      name: name.slice(0, -4).toLowerCase(),
    }));
  if (lists.length === 0) return pairs;
  const known = lists.filter(({ name }) => partNamed(name) !== undefined || name === BOTH);
  const used = known.length > 0 ? known : lists;
  const unused = lists.filter((list) => !used.includes(list)).map(({ file }) => file);
  if (unused.length > 0) say(`Lists of no known part are passed over: ${unused.join(", ")}.`);

  const byName = new Map(pairs.map((pair) => [pair.name, pair]));
  const parts = new Map<string, { readonly part: Part | undefined; readonly where: string }>();
  let unlabelled = 0;
  // What is in both parts comes last.
  for (const list of [...used].sort((a, b) => Number(a.name === BOTH) - Number(b.name === BOTH))) {
    const part = partOf(list, used);
    for (const { name, where } of await readNames(list.file, byName)) {
      const before = parts.get(name);
      if (!byName.has(name)) {
        if (part !== "test") throw missing(name, where);
        unlabelled++;
      } else if (before !== undefined && before.part !== part && list.name !== BOTH) {
        throw new DataError(
          `${where}, names ${JSON.stringify(name)}, as ${before.where} does: a photo is in one part only; remove one of the lines.`,
        );
      } else if (before === undefined) parts.set(name, { part, where });
    }
  }
  if (unlabelled > 0) {
    say(
      `${count(unlabelled, "photo")} of the list "test" ${unlabelled === 1 ? "has" : "have"} no mask: passed over.`,
    );
  }
  const left = pairs.length - parts.size;
  if (left > 0) {
    say(
      `${count(left, "photo")} of ${pairs.length} with a mask ${left === 1 ? "is" : "are"} in none of the lists in ` +
        `${place.file(folder)}: passed over.`,
    );
  }
  return pairs.flatMap(({ part: _, ...pair }): Pair[] => {
    const found = parts.get(pair.name);
    return found === undefined ? [] : [{ ...pair, ...(found.part && { part: found.part }) }];
  });
}

function partOf({ name }: List, lists: readonly List[]): Part | undefined {
  if (name !== BOTH) return partNamed(name);
  const has = (part: Part): boolean => lists.some((list) => partNamed(list.name) === part);
  if (has("val")) return "train";
  return has("train") ? "val" : undefined;
}

/** The names of a list; one with a space in it may stand in quotes, and what follows a name's space is passed over. */
async function readNames(file: string, known: ReadonlyMap<string, Pair>): Promise<Named[]> {
  const lines = (await readForeignText(file)).split(/\r\n?|\n/);
  return lines.flatMap((line, i): Named[] => {
    const whole = line.trim().normalize();
    if (whole === "") return [];
    const name = known.has(whole) ? whole : (/^"(.+?)"|^(\S+)/.exec(whole)?.slice(1).find(Boolean) ?? whole);
    return [{ name, where: `${file}, line ${i + 1}` }];
  });
}

const missing = (name: string, where: string): DataError =>
  new DataError(
    `${where}, names ${JSON.stringify(name)}, and there is no such photo with a mask: add JPEGImages/${name}.jpg and ` +
      `SegmentationClass/${name}.png, or remove the line.`,
  );
