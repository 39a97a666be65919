import { dirname, join } from "node:path";
import { readCvat } from "../annotations/cvat.ts";
import { readForeignText } from "../annotations/foreign.ts";
import { count, DataError } from "../data-error.ts";
import { namedPairs } from "./named-pairs.ts";
import type { AnnotatedPhoto } from "./named-pairs.ts";
import { findPhotos } from "./find-photos.ts";
import type { Format, Part } from "./format.ts";
import { partNamed } from "./parts.ts";
import { filesThat } from "./peek.ts";
import type { Place } from "./place.ts";

/**
 * "CVAT for images 1.1": `annotations.xml` and the photos in `images/` beside it. Of a project, each photo's subset is its part.
 */
export const cvat: Format = {
  name: "cvat",
  title: "CVAT",
  description: "annotations.xml of CVAT for images 1.1, or the folder that holds it",
  recognise: async (place) => (await filesOf(place)).length > 0,
  read: async (place, say) => {
    const [file, ...others] = await filesOf(place);
    if (file === undefined)
      throw new DataError(`${place.path} holds no annotations.xml of CVAT: give the file, or its folder.`);
    if (others.length > 0) {
      throw new DataError(
        `${place.path} holds ${others.length + 1} files of CVAT (${[file, ...others].join(", ")}): give one of them.`,
      );
    }
    const text = await readForeignText(file);
    const { labels, photos } = readCvat(text, file);
    if (photos.length === 0) {
      throw new DataError(
        /<track[\s>]/.test(text)
          ? `${file} is of a video, and holds no photos: export it as "CVAT for images 1.1".`
          : `${file} holds no photo: export it anew, as "CVAT for images 1.1".`,
      );
    }
    const parts = photos.map(({ subset }) => (subset === undefined ? undefined : partNamed(subset)));
    const images = await findEach(photos, file);
    const split = new Set(parts).size > 1;
    const pairs = photos.map((annotation, i): AnnotatedPhoto => {
      const part: Part | undefined = split ? parts[i] : undefined;
      return { image: images[i], mask: file, annotation, ...(part && { part }) };
    });
    const bare = photos.filter(({ shapes }) => shapes.length === 0).length;
    if (bare > 0)
      say(
        `${count(bare, "photo")} of ${photos.length} ${bare === 1 ? "has" : "have"} no shape: background all over.`,
      );
    const used = photos.flatMap(({ shapes }) => shapes.flatMap(({ label }) => label ?? []));
    const classes = [...new Set([...labels, ...[...used].sort()])].map((name) => ({ key: name, name }));
    return { pairs: namedPairs(pairs), declared: { where: file, keys: "labels", classes } };
  },
};

/** Photos of a subset may lie in a folder called like it. */
async function findEach(photos: ReturnType<typeof readCvat>["photos"], file: string): Promise<string[]> {
  const folder = dirname(file);
  const images = [join(folder, "images"), folder];
  const found: string[] = [];
  for (const subset of new Set(photos.map((photo) => photo.subset))) {
    const those = [...photos.keys()].filter((i) => photos[i].subset === subset);
    const within = subset === undefined ? [] : images.map((path) => join(path, subset));
    const paths = await findPhotos(
      those.map((i) => photos[i]),
      [...within, ...images],
      file,
    );
    those.forEach((i, at) => (found[i] = paths[at]));
  }
  return found;
}

const filesOf = (place: Place): Promise<string[]> => filesThat(place, ".xml", isCvat);

const isCvat = (text: string): boolean => /^(?:<\?xml[^>]*>\s*)?<annotations[\s>]/.test(text);
