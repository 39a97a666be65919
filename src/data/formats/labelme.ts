import { basename, dirname, join } from "node:path";
import { parseJson, readForeignText } from "../annotations/foreign.ts";
import { readLabelMe, UNCOUNTED } from "../annotations/labelme.ts";
import { mapConcurrently } from "../concurrency.ts";
import type { DeclaredClasses } from "../classes/declared.ts";
import { count, DataError, together } from "../data-error.ts";
import { pictureFile } from "../picture-files.ts";
import { namedPairs } from "./named-pairs.ts";
import type { AnnotatedPhoto } from "./named-pairs.ts";
import { findPhotos } from "./find-photos.ts";
import type { Format } from "./format.ts";
import { partOfPath } from "./parts.ts";
import { peek } from "./peek.ts";
import { Place } from "./place.ts";

/** Files of a folder that are looked at to recognise it. */
const LOOKED_AT = 8;
/** The list of labels that labelme2voc takes. */
const LABELS = "labels.txt";

/**
 * LabelMe (https://labelme.io): a JSON file a photo, which names it, in a folder and those in it. Folders called train, val and
 * test are parts.
 */
export const labelme: Format = {
  name: "labelme",
  title: "LabelMe",
  description: "a folder of LabelMe's JSON files and their photos",
  recognise: async (place) => {
    if (!place.isFolder) return isLabelMeFile(place.path);
    const files = (await place.files()).filter(isJson).slice(0, LOOKED_AT);
    for (const file of files) if (await isLabelMeFile(place.file(file))) return true;
    return false;
  },
  read: async (place, say) => {
    const all = place.isFolder ? await place.files() : [basename(place.path)];
    const folder = place.isFolder ? place.path : dirname(place.path);
    const jsons = all.filter(isJson);
    const are = await mapConcurrently(jsons, (file) => isLabelMeFile(join(folder, file)));
    const files = jsons.filter((_, i) => are[i]);
    if (files.length === 0) throw new DataError(`${place.path} holds no file of LabelMe: label some photos.`);
    const others = jsons.length - files.length;
    if (others > 0)
      say(
        `${count(others, "JSON file")} in ${folder} ${others === 1 ? "is" : "are"} not LabelMe's: passed over.`,
      );

    const faults: DataError[] = [];
    const read = await mapConcurrently(files, (file) =>
      photoOf(join(folder, file), partOfPath(file)).catch((error: unknown) => {
        if (!(error instanceof DataError)) throw error;
        faults.push(error);
        return [];
      }),
    );
    if (faults.length > 0) throw together(faults);
    const photos = read.flat();
    const used = new Set(photos.map(({ image }) => image));
    const bare = all.filter(
      (file) => pictureFile().test(basename(file)) && !used.has(join(folder, file)),
    ).length;
    if (bare > 0)
      say(
        `${count(bare, "photo")} in ${folder} ${bare === 1 ? "has" : "have"} no file of LabelMe: passed over.`,
      );
    return { pairs: namedPairs(photos), declared: await classesOf(folder, photos) };
  },
};

const isJson = (file: string): boolean => /\.json$/i.test(file);

/** Its ends tell: a photo may be embedded between them. */
async function isLabelMeFile(file: string): Promise<boolean> {
  if (!isJson(file)) return false;
  const text = await peek(file);
  return text.startsWith("{") && /"shapes"\s*:\s*\[/.test(text) && /"image(?:Path|Height)"\s*:/.test(text);
}

async function photoOf(file: string, part: AnnotatedPhoto["part"]): Promise<AnnotatedPhoto[]> {
  const value = parseJson(await readForeignText(file), file);
  const annotation = readLabelMe(value, file);
  try {
    const [image] = await findPhotos([annotation], [dirname(file)], file);
    return [{ image, mask: file, annotation, ...(part && { part }) }];
  } catch (error) {
    if (!(error instanceof DataError) || !(value as { imageData?: unknown }).imageData) throw error;
    throw new DataError(
      `${file} has its photo embedded (imageData), and the file ${annotation.photo} is not there: put it beside, or write it anew ` +
        "with labelme_export_json.",
    );
  }
}

/** The classes in the order of `labels.txt`, or of their names; labels of neither are a mistake. */
async function classesOf(folder: string, photos: readonly AnnotatedPhoto[]): Promise<DeclaredClasses> {
  const found = new Map<string, string>();
  for (const { annotation } of photos) {
    for (const { label } of annotation.shapes) if (label !== null) found.set(label, annotation.where);
  }
  const file = join(folder, LABELS);
  const hasList = (await (await Place.at(folder))?.has(LABELS)) === "file";
  const lines = hasList ? (await readForeignText(file)).split(/\r\n?|\n/).map((line) => line.trim()) : null;
  const names = lines
    ? [...new Set(lines)].filter((name) => name !== "" && name !== UNCOUNTED)
    : [...found.keys()].sort();
  const unknown = [...found.keys()].find((label) => !names.includes(label));
  if (unknown !== undefined) {
    throw new DataError(
      `${found.get(unknown)!} has the label ${JSON.stringify(unknown)}, which ${file} does not name: add it there, or remove ${LABELS}.`,
    );
  }
  const where = hasList ? file : `the labels in ${folder}`;
  return { where, keys: "labels", classes: names.map((name) => ({ key: name, name })) };
}
