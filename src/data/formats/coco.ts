import { basename, dirname, extname, join } from "node:path";
import { readCoco } from "../annotations/coco.ts";
import type { CocoSet } from "../annotations/coco.ts";
import { parseJson, readForeignText } from "../annotations/foreign.ts";
import { count, DataError } from "../data-error.ts";
import { namedPairs } from "./named-pairs.ts";
import type { AnnotatedPhoto } from "./named-pairs.ts";
import { cocoClasses } from "./coco-classes.ts";
import { findPhotos } from "./find-photos.ts";
import type { Format, Part } from "./format.ts";
import { partNamed } from "./parts.ts";
import { peek } from "./peek.ts";
import type { Place } from "./place.ts";

const ANNOTATIONS = "annotations";
/** What COCO calls the files that have outlines; those of key points, captions and so on lie beside them. */
const OUTLINES = /^instances[_-]?/i;

interface CocoFile {
  readonly file: string;
  /** The data set's folder. */
  readonly root: string;
  readonly part: Part | undefined;
}

/**
 * COCO's JSON (https://cocodataset.org/#format-data), as COCO itself, CVAT, Label Studio, Roboflow and FiftyOne write it: one
 * file, or a folder with `annotations/*.json`, with such files in it, or with `train/`, `valid/`, `test/` that have one each. Of
 * several files each is a part.
 */
export const coco: Format = {
  name: "coco",
  title: "COCO",
  description: "a COCO JSON file, or a folder with annotations/*.json",
  recognise: async (place) => (await filesOf(place)).length > 0,
  read: async (place, say) => {
    const files = await filesOf(place, say);
    if (files.length === 0) {
      throw new DataError(
        `${place.path} holds no JSON file of COCO: give the file, or the folder that holds it or ${ANNOTATIONS}/.`,
      );
    }
    const photos: AnnotatedPhoto[] = [];
    const sets: { readonly file: string; readonly set: CocoSet }[] = [];
    for (const { file, root, part } of files) {
      const set = readCoco(parseJson(await readForeignText(file), file), file);
      const images = await findPhotos(set.photos, foldersOf(file, root), file);
      set.photos.forEach((annotation, i) => {
        photos.push({
          image: images[i],
          mask: file,
          annotation,
          // One file is no split.
          ...(files.length > 1 && part && { part }),
        });
      });
      sets.push({ file, set });
    }
    const declared = cocoClasses(sets, say);
    const bare = photos.filter(({ annotation }) => annotation.shapes.length === 0).length;
    if (bare > 0) {
      say(
        `${count(bare, "photo")} of ${photos.length} ${bare === 1 ? "has" : "have"} no annotation: background all over.`,
      );
    }
    return { pairs: namedPairs(photos), declared };
  },
};

/** The files of a place, from the first of the ways in which they may lie there. */
async function filesOf(place: Place, say: (sentence: string) => void = () => {}): Promise<CocoFile[]> {
  if (!place.isFolder) {
    const { path } = place;
    const folder = dirname(path);
    const root = basename(folder).toLowerCase() === ANNOTATIONS ? dirname(folder) : folder;
    return (await isCocoFile(path)) ? [{ file: path, root, part: undefined }] : [];
  }
  for (const below of [ANNOTATIONS, ""]) {
    const files = await cocoFiles(place, below);
    if (files.length === 0) continue;
    const outlines = files.filter((file) => OUTLINES.test(basename(file)));
    const used = outlines.length > 0 ? outlines : files;
    const others = files.filter((file) => !used.includes(file));
    if (others.length > 0) say(`Other files of COCO are passed over: ${others.join(", ")}.`);
    return used.map((file) => ({ file, root: place.path, part: partOfName(splitOf(file)) }));
  }
  const found: CocoFile[] = [];
  for (const { name } of (await place.entries()) ?? []) {
    const part = partNamed(name);
    if (part === undefined) continue;
    const [file, ...others] = await cocoFiles(place, name);
    if (others.length > 0) {
      throw new DataError(
        `${place.file(name)} holds ${others.length + 1} JSON files of COCO (${[file, ...others].map((path) => basename(path)).join(", ")}): keep one.`,
      );
    }
    if (file !== undefined) found.push({ file, root: place.path, part });
  }
  return found;
}

async function cocoFiles(place: Place, below: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of (await place.entries(below)) ?? []) {
    const file = place.file(join(below, entry.name));
    if (!entry.isDirectory() && extname(entry.name).toLowerCase() === ".json" && (await isCocoFile(file)))
      found.push(file);
  }
  return found;
}

/** Whether a file's ends look like COCO's; the file may be too large to be read for that. */
async function isCocoFile(file: string): Promise<boolean> {
  const text = await peek(file);
  const lists = ["images", "annotations", "categories"].filter((key) =>
    new RegExp(`"${key}"\\s*:\\s*\\[`).test(text),
  );
  return text.startsWith("{") && lists.length >= 2;
}

/** `train2017` of `instances_train2017.json` */
const splitOf = (file: string): string => basename(file, extname(file)).replace(OUTLINES, "");

/** The part by the first of the words of a name: `train` of `person_train2017`. */
const partOfName = (name: string): Part | undefined =>
  name
    .split(/[^a-z]+/i)
    .map(partNamed)
    .find((part) => part !== undefined);

/** Where the photos of a file may lie, the likeliest first. */
function foldersOf(file: string, root: string): string[] {
  const split = splitOf(file);
  const folders = [
    dirname(file),
    ...[root, join(root, "images")].flatMap((folder) => [join(folder, split), folder]),
    join(root, split, "images"),
    join(dirname(file), "images"),
    join(root, "data"),
  ];
  return [...new Set(folders)];
}
