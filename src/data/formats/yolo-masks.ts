import type { DeclaredClass, DeclaredClasses } from "../classes/declared.ts";
import { count, DataError } from "../data-error.ts";
import { namedPairs } from "./named-pairs.ts";
import { FileFinder } from "./find-photos.ts";
import type { DataSource } from "./format.ts";
import type { YoloFile } from "./yolo-file.ts";
import { besideImages } from "./yolo-photos.ts";
import type { YoloPhoto } from "./yolo-photos.ts";

/** Kinds of pictures that keep numbers, the usual one first. */
const ENDINGS = [".png", ".PNG", ".tif", ".tiff", ".webp"];
/** Ultralytics's label of pixels that do not count. */
const UNCOUNTED = 255;

/**
 * Photos with masks as Ultralytics 8.4 has them (https://docs.ultralytics.com/datasets/semantic): in the folder `masks` where
 * the photos have `images`. Photos without one are passed over, and counted.
 *
 * @throws DataError when no photo has one
 */
export async function yoloMasks(
  data: YoloFile,
  masks: string,
  photos: readonly YoloPhoto[],
  say: (sentence: string) => void,
): Promise<DataSource> {
  const finder = new FileFinder();
  const found: (YoloPhoto & { readonly mask: string })[] = [];
  for (const photo of photos) {
    let mask: string | undefined;
    for (const ending of ENDINGS) mask ??= await finder.find(besideImages(photo.image, masks, ending));
    if (mask !== undefined && mask !== photo.image) found.push({ ...photo, mask });
  }
  if (found.length === 0) {
    const [{ image }] = photos;
    throw new DataError(
      `None of ${count(photos.length, "photo")} has a mask: ${image} would have ${besideImages(image, masks, ".png")}; put ` +
        `${masks}/ beside images/.`,
    );
  }
  const left = photos.length - found.length;
  if (left > 0)
    say(
      `${count(left, "photo")} of ${photos.length} ${left === 1 ? "has" : "have"} no mask in ${masks}/: passed over.`,
    );
  return { pairs: namedPairs(found), declared: yoloMaskClasses(data) };
}

/** Of polygons, the names; of what they are drawn over says the data set nothing. */
export const yoloLabelClasses = ({ file, names }: YoloFile): DeclaredClasses => ({
  where: file,
  keys: "labels",
  classes: names.map((name) => ({ key: name, name })),
});

/** Of masks, the values that become classes, each by way of `label_mapping`. */
function yoloMaskClasses({ file, names, mapping }: YoloFile): DeclaredClasses {
  // Ultralytics takes the masks of a single class for 0, everything else, and 1.
  const classes = names.length === 1 ? ["background", ...names] : names;
  const labels = Array.from({ length: UNCOUNTED + 1 }, (_, value) => mapping.get(value) ?? value);
  const keyed = classes.flatMap((name, label) =>
    labels.flatMap((its, key): DeclaredClass[] => (its === label ? [{ key, name }] : [])),
  );
  const ignored = labels.flatMap((label, value) => (label === UNCOUNTED ? [value] : []));
  return { where: file, keys: "values", classes: keyed, ignored, ...(mapping.size > 0 && { compact: true }) };
}
