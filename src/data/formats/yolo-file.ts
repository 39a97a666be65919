import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { checked, readForeignText } from "../annotations/foreign.ts";
import { DataError } from "../data-error.ts";
import type { Part } from "./format.ts";
import { peek } from "./peek.ts";
import { Place } from "./place.ts";

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const entry = z.union([z.string(), z.array(z.string())]).nullish();
const schema = z.looseObject({
  path: z.string().nullish(),
  train: entry,
  val: entry,
  validation: entry,
  test: entry,
  nc: z.coerce.number().int().nonnegative().nullish(),
  names: z.union([z.array(text), z.record(z.string(), text)]).nullish(),
  masks_dir: z.string().nullish(),
  label_mapping: z.record(z.string(), z.union([z.string(), z.number()]).nullable()).nullish(),
});

/** What a `data.yaml` says. */
export interface YoloFile {
  readonly file: string;
  /** The folder that paths are relative to. */
  readonly root: string;
  /** Folders or lists of photos, in the order of the file. */
  readonly parts: readonly { readonly part: Part; readonly entries: readonly string[] }[];
  /** In the order of the classes. */
  readonly names: readonly string[];
  /** The folder of masks beside `images`, where the file names one. */
  readonly masks: string | undefined;
  /** The class of values of masks, 255 for those that do not count. */
  readonly mapping: ReadonlyMap<number, number>;
}

/** The file of a place: itself, its `data.yaml`, or its only YAML file that tells photos and classes. */
export async function yoloFile(place: Place): Promise<string | undefined> {
  if (!place.isFolder) return (await isYoloFile(place.path)) ? place.path : undefined;
  const entries = ((await place.entries()) ?? []).filter((entry) => !entry.isDirectory());
  const files = entries.map(({ name }) => place.file(name));
  const found: string[] = [];
  for (const file of files) if (await isYoloFile(file)) found.push(file);
  const [main] = found.filter((file) => /^data\.ya?ml$/i.test(file.slice(place.file().length + 1)));
  return main ?? (found.length === 1 ? found[0] : undefined);
}

async function isYoloFile(file: string): Promise<boolean> {
  if (!/^\.ya?ml$/i.test(extname(file))) return false;
  const text = await peek(file);
  return /^["']?(?:train|val)["']?\s*:/m.test(text) && /^["']?(?:names|nc)["']?\s*:/m.test(text);
}

/** @throws DataError when it is not as Ultralytics wants it */
export async function readYoloFile(file: string, say: (sentence: string) => void): Promise<YoloFile> {
  const said = checked(schema, parsed(await readForeignText(file), file), file, "a data.yaml of YOLO");
  const parts = (
    [
      ["train", said.train],
      ["val", said.val ?? said.validation],
      ["test", said.test],
    ] as const
  ).flatMap(([part, entries]) => (entries == null ? [] : [{ part, entries: [entries].flat() }]));
  if (parts.length === 0) {
    throw new DataError(
      `${file} says neither train nor val: write where the photos are, as train: images/train.`,
    );
  }
  const mapping = mappingOf(said.label_mapping ?? {}, file);
  const names = namesOf(said, file);
  const wrong = [...mapping].find(([, label]) => label !== UNCOUNTED && label >= names.length);
  if (wrong !== undefined) {
    throw new DataError(
      `${file} maps ${wrong[0]} to class ${wrong[1]}, and it names ${names.length}: use 0 to ${names.length - 1}.`,
    );
  }
  return {
    file,
    root: await rootOf(file, said.path, say),
    parts,
    names,
    masks: said.masks_dir || undefined,
    mapping,
  };
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text, { logLevel: "error" });
  } catch (error) {
    throw new DataError(`${file} is not YAML: ${(error as Error).message.split("\n")[0].replace(/:$/, "")}.`);
  }
}

/** @throws DataError for a class without a name, a name that two have, or another number of them than the file says */
function namesOf({ names, nc }: z.infer<typeof schema>, file: string): string[] {
  if (names == null) {
    if (nc == null) throw new DataError(`${file} names no classes: write them under names.`);
    return Array.from({ length: nc }, (_, label) => `class ${label}`);
  }
  const byNumber = new Map(Object.entries(names).map(([label, name]) => [Number(label), name.trim()]));
  const list = Array.from({ length: byNumber.size }, (_, label) => byNumber.get(label));
  const nameless = list.findIndex((name) => !name);
  if (nameless >= 0)
    throw new DataError(`${file} does not name class ${nameless}: number the names from 0 on.`);
  const twice = list.find((name, i) => list.indexOf(name) < i);
  if (twice !== undefined)
    throw new DataError(`${file} names two classes ${JSON.stringify(twice)}: give each its own name.`);
  if (nc != null && nc !== list.length) {
    throw new DataError(`${file} says ${nc} classes (nc) and names ${list.length}: make them agree.`);
  }
  return list as string[];
}

const UNCOUNTED = 255;

function mappingOf(
  said: Readonly<Record<string, string | number | null>>,
  file: string,
): Map<number, number> {
  return new Map(
    Object.entries(said).map(([from, to]) => {
      const [value, label] = [Number(from), to === null || to === "ignore_label" ? UNCOUNTED : Number(to)];
      if (!Number.isInteger(value) || !(Number.isInteger(label) && label >= 0 && label <= UNCOUNTED)) {
        throw new DataError(
          `${file} maps ${JSON.stringify(from)} to ${JSON.stringify(to)} in label_mapping: write a number and a class or ignore_label.`,
        );
      }
      return [value, label];
    }),
  );
}

/** The folder that paths are relative to: what the file says, unless it is on another machine; then the file's own. */
async function rootOf(
  file: string,
  path: string | null | undefined,
  say: (sentence: string) => void,
): Promise<string> {
  const folder = resolve(dirname(file));
  if (path == null || path === "") return folder;
  const root = isAbsolute(path) ? path : join(folder, path);
  if (await Place.at(root)) return root;
  say(`${file} has the path ${path}, and there is no folder ${root}: ${folder} is taken instead.`);
  return folder;
}
