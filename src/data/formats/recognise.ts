import { recogniseFile } from "../../files/recognise.ts";
import { DataError } from "../data-error.ts";
import { ade20k } from "./ade20k.ts";
import { cityscapes } from "./cityscapes.ts";
import { coco } from "./coco.ts";
import { clothingCoParsing } from "./clothing-co-parsing.ts";
import { cvat } from "./cvat.ts";
import { folders, isHalf } from "./folders.ts";
import type { DataSource, Format } from "./format.ts";
import { kaggle } from "./kaggle.ts";
import type { FormatName } from "./names.ts";
import { labelStudio } from "./label-studio.ts";
import { labelme } from "./labelme.ts";
import { Place } from "./place.ts";
import { voc } from "./voc.ts";
import { yolo } from "./yolo.ts";

/** The formats that are known; where a place is of two, the first counts. */
export const FORMATS: readonly Format[] = [
  ...[clothingCoParsing, voc, cityscapes, ade20k, coco, yolo, cvat, labelStudio],
  ...[folders, kaggle, labelme],
];

/** A data set and what it was taken for. */
export interface OpenSource extends DataSource {
  readonly format: Format;
}

/**
 * Lists the data set at `path`.
 *
 * @param asked the format's name; null to recognise it by what lies there
 * @param say is told, in a sentence each, what is passed over and what was decided
 * @throws DataError when there is nothing, it is of no known format, or not as its format wants it
 */
export async function openSource(
  path: string,
  asked: FormatName | null,
  say: (sentence: string) => void,
): Promise<OpenSource> {
  const place = await Place.at(path);
  if (place === undefined) throw new DataError(`There is no folder ${path}: ${MEND}.`);
  const format =
    asked === null ? await recogniseFormat(place, say) : FORMATS.find(({ name }) => name === asked)!;
  const source = await format.read(place, say);
  if (source.pairs.length === 0) throw new DataError(`${path} holds no labelled photo: label some.`);
  return { ...source, format };
}

const MEND =
  "give a folder that holds images/ and masks/, or a data set in another format that docs/data.md lists";

/**
 * What lies there.
 *
 * @throws DataError when it is of no known format
 */
export async function recogniseFormat(place: Place, say: (sentence: string) => void): Promise<Format> {
  const found: Format[] = [];
  for (const format of FORMATS) if (await format.recognise(place)) found.push(format);
  // Whatever has photos and pictures for masks looks like those.
  const rivals = found.slice(1).filter((format) => format !== folders);
  if (rivals.length > 0) {
    const others = rivals.map(({ name, title }) => `${title} (--format ${name})`);
    say(`${place.path} is taken for ${found[0].title}; it looks like ${others.join(" and like ")} too.`);
  }
  if (found.length > 0) return found[0];
  if (place.isFolder && (await isHalf(place))) return folders;
  if (place.isFolder)
    throw new DataError(`${place.path} holds no photos and masks in a format known here: ${MEND}.`);
  const content = await recogniseFile(place.path);
  if (content?.format === "zip")
    throw new DataError(`${place.path} is an archive: unpack it and give the folder.`);
  throw new DataError(`${place.path} is not a folder, nor a file of a labelling tool known here: ${MEND}.`);
}
