import { dirname, join } from "node:path";
import { parseJson, readForeignText } from "../annotations/foreign.ts";
import { readLabelStudio } from "../annotations/label-studio.ts";
import { count, DataError } from "../data-error.ts";
import { namedPairs } from "./named-pairs.ts";
import { findPhotos } from "./find-photos.ts";
import type { Format } from "./format.ts";
import { filesThat } from "./peek.ts";
import type { Place } from "./place.ts";

/** What Label Studio puts before the names of photos that are uploaded. */
const PREFIX = /^[0-9a-f]{8}-/;
/** Masks of its export of brushes as PNG. */
const BRUSH = /^task-\d+-annotation-\d+-by-.+\.png$/;

/**
 * Label Studio's export as JSON (not JSON-MIN): the file, or a folder that holds one such, and the photos beside it or in
 * `images/`, with or without the eight digits that Label Studio puts before their names.
 */
export const labelStudio: Format = {
  name: "label-studio",
  title: "Label Studio",
  description: "an export of Label Studio as JSON, or the folder that holds it",
  recognise: async (place) => (await filesOf(place)).length > 0 || (await holdsBrushes(place)),
  read: async (place, say) => {
    const [file, ...others] = await filesOf(place);
    if (file === undefined && (await holdsBrushes(place))) {
      throw new DataError(
        `${place.path} holds Label Studio's brushes as PNGs, which do not say of which photo they are: export as JSON, which has them too.`,
      );
    }
    if (file === undefined)
      throw new DataError(
        `${place.path} holds no export of Label Studio as JSON: give the file, or its folder.`,
      );
    if (others.length > 0) {
      throw new DataError(
        `${place.path} holds ${others.length + 1} exports of Label Studio (${[file, ...others].join(", ")}): give one of them.`,
      );
    }
    const value = parseJson(await readForeignText(file), file);
    const { photos } = readLabelStudio(value, file);
    const left = (value as readonly unknown[]).length - photos.length;
    if (left > 0)
      say(
        `${count(left, "task")} in ${file} ${left === 1 ? "has" : "have"} no annotation that was submitted: passed over.`,
      );
    const folder = dirname(file);
    const folders = [folder, join(folder, "images"), dirname(folder), join(dirname(folder), "images")];
    const images = await findPhotos(photos, folders, file, withoutPrefix);
    const bare = photos.filter(({ shapes }) => shapes.length === 0).length;
    if (bare > 0)
      say(
        `${count(bare, "photo")} of ${photos.length} ${bare === 1 ? "has" : "have"} no region: background all over.`,
      );
    const labels = new Set(photos.flatMap(({ shapes }) => shapes.flatMap(({ label }) => label ?? [])));
    return {
      pairs: namedPairs(photos.map((annotation, i) => ({ image: images[i], mask: file, annotation }))),
      declared: {
        where: file,
        keys: "labels",
        classes: [...labels].sort().map((name) => ({ key: name, name })),
      },
    };
  },
};

function withoutPrefix(path: string): string[] {
  const at = path.lastIndexOf("/") + 1;
  const name = path.slice(at);
  return PREFIX.test(name) ? [path.slice(0, at) + name.replace(PREFIX, "")] : [];
}

const filesOf = (place: Place): Promise<string[]> => filesThat(place, ".json", isExport);

/** A file's ends tell: strokes of brushes may be long. */
const isExport = (text: string): boolean =>
  /^\[\s*\{/.test(text) && /"annotations"\s*:\s*\[/.test(text) && /"data"\s*:\s*\{/.test(text);

const holdsBrushes = async (place: Place): Promise<boolean> =>
  ((await place.entries()) ?? []).some(({ name }) => BRUSH.test(name));
