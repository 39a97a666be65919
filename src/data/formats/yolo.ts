import { dirname } from "node:path";
import { readForeignText } from "../annotations/foreign.ts";
import { readYoloLabels } from "../annotations/yolo.ts";
import { mapConcurrently } from "../concurrency.ts";
import { count, DataError } from "../data-error.ts";
import { namedPairs } from "./named-pairs.ts";
import type { AnnotatedPhoto } from "./named-pairs.ts";
import { FileFinder } from "./find-photos.ts";
import type { DataSource, Format } from "./format.ts";
import { Place } from "./place.ts";
import { yoloLabelClasses, yoloMasks } from "./yolo-masks.ts";
import { besideImages, yoloPhotos } from "./yolo-photos.ts";
import type { YoloPhoto } from "./yolo-photos.ts";
import { readYoloFile, yoloFile } from "./yolo-file.ts";
import type { YoloFile } from "./yolo-file.ts";

/**
 * Ultralytics's YOLO: a `data.yaml` that tells folders or lists of photos (`train`, `val`, `test`) and the classes (`names`).
 * Polygons are in `labels/` beside `images/`, a text file a photo; with `masks_dir` (Ultralytics 8.4), masks are pictures in a
 * folder beside `images/`.
 */
export const yolo: Format = {
  name: "yolo",
  title: "YOLO segmentation",
  description: "data.yaml, or the folder that holds it",
  recognise: async (place) => (await yoloFile(place)) !== undefined,
  read: async (place, say) => {
    const file = await yoloFile(place);
    if (file === undefined) {
      throw new DataError(
        `${place.path} holds no data.yaml with train and names: give the file, or the folder that holds it.`,
      );
    }
    const data = await readYoloFile(file, say);
    const photos = await yoloPhotos(data, say);
    const masks = data.masks ?? ((await hasMasks(data)) ? "masks" : undefined);
    return masks === undefined ? readLabels(data, photos, say) : yoloMasks(data, masks, photos, say);
  },
};

/** Ultralytics takes a folder of this name for masks where the file says nothing else. */
const hasMasks = async ({ root }: YoloFile): Promise<boolean> =>
  (await (await Place.at(root))?.has("masks")) === "folder";

async function readLabels(
  data: YoloFile,
  photos: readonly YoloPhoto[],
  say: (sentence: string) => void,
): Promise<DataSource> {
  const finder = new FileFinder();
  let [missing, empty] = [0, 0];
  const annotated = await mapConcurrently(photos, async ({ image, part }): Promise<AnnotatedPhoto> => {
    const path = besideImages(image, "labels", ".txt");
    const file = await finder.find(path);
    const text = file === undefined ? "" : await readForeignText(file);
    const where = file ?? data.file;
    const shapes = readYoloLabels(text, where, data.names);
    if (file === undefined) missing++;
    else if (shapes.length === 0) empty++;
    return {
      image,
      mask: where,
      annotation: { photo: image, size: null, shapes, where },
      ...(part && { part }),
    };
  });
  if (missing === photos.length) {
    const [{ image }] = photos;
    throw new DataError(
      `None of ${count(photos.length, "photo")} has a label file: ${image} would have ` +
        `${besideImages(image, "labels", ".txt")}; put labels/ beside images/, in ${dirname(data.file)} or where ${data.file} says.`,
    );
  }
  if (missing + empty > 0) {
    say(
      `${count(missing + empty, "photo")} of ${photos.length} ${missing + empty === 1 ? "is" : "are"} background all over: ` +
        `${missing} without a label file, ${empty} with an empty one.`,
    );
  }
  return { pairs: namedPairs(annotated), declared: yoloLabelClasses(data) };
}
