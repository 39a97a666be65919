import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";

/** A file of the data: its path below the data set's folder, with `/`, and the SHA-256 of its bytes, in hexadecimal. */
export interface FileRecord {
  readonly file: string;
  readonly sha256: string;
}

export interface PairRecord {
  readonly name: string;
  readonly photo: FileRecord;
  readonly mask: FileRecord;
}

/** What a run is trained and validated on, as `data.json` has it. */
export interface DataRecord {
  readonly classNames: readonly string[];
  /** What the masks' numbers, colours or labels become, where they are not the classes themselves. */
  readonly labelling?: readonly unknown[] | undefined;
  /** In the order in which the run numbers them. */
  readonly training: readonly PairRecord[];
  readonly validation: readonly PairRecord[];
}

/**
 * Tells data from any other: SHA-256 over the class names and over the name and the contents of each pair, in order. Where
 * the files lie makes no difference.
 */
export function digestOfData({ classNames, labelling, training, validation }: DataRecord): string {
  const contents = ({ name, photo, mask }: PairRecord): string[] => [name, photo.sha256, mask.sha256];
  const parts = [
    classNames,
    training.map(contents),
    validation.map(contents),
    ...(labelling ? [labelling] : []),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

const file = z.object({ file: z.string(), sha256: z.string() });
const pairs = z.array(z.object({ name: z.string(), photo: file, mask: file }));
const schema: z.ZodType<DataRecord> = z.object({
  classNames: z.array(z.string()),
  labelling: z.array(z.unknown()).optional(),
  training: pairs,
  validation: pairs,
});

/** Reads a `data.json`; null where there is none that can be read. */
export async function readDataRecord(path: string): Promise<DataRecord | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return null;
  }
}

/** How `now` differs from `before`, as part of a sentence; null when neither files nor class names do. */
export function differenceOfData(before: DataRecord, now: DataRecord): string | null {
  const [old, present] = [filesOf(before), filesOf(now)];
  const changes = [
    ...[...old].flatMap(([key, { file, sha256 }]) => {
      const there = present.get(key);
      if (there === undefined) return [`${file} is missing`];
      return there.sha256 === sha256 ? [] : [`${there.file} has changed`];
    }),
    ...[...present].flatMap(([key, { file }]) => (old.has(key) ? [] : [`${file} is new`])),
  ];
  if (changes.length === 0) return differingClass(before, now);
  const all = new Set([...old.keys(), ...present.keys()]).size;
  const what = changes.length === 1 ? "is not what it was (" : "are not what they were (first of all: ";
  return `${changes.length} of ${all} files ${what}${changes[0]})`;
}

function differingClass(before: DataRecord, now: DataRecord): string | null {
  const [old, present] = [before.classNames, now.classNames];
  const index = Array.from({ length: Math.max(old.length, present.length) }, (_, i) => i).find(
    (i) => old[i] !== present[i],
  );
  const called = (name: string | undefined): string => (name === undefined ? "none" : JSON.stringify(name));
  if (index !== undefined)
    return `class ${index} is called ${called(present[index])} and was ${called(old[index])}`;
  return JSON.stringify(before.labelling) === JSON.stringify(now.labelling)
    ? null
    : "what in the masks becomes which class, or does not count, has changed";
}

/** By what a file is in the data, wherever it lies. */
function filesOf({ training, validation }: DataRecord): Map<string, FileRecord> {
  return new Map(
    [...training, ...validation].flatMap(({ name, photo, mask }) => [
      [`photo ${name}`, photo] as const,
      [`mask ${name}`, mask] as const,
    ]),
  );
}
