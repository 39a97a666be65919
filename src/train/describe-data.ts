import { count } from "../data/data-error.ts";
import { IGNORE } from "../data/dataset.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import type { RunData } from "./run-data.ts";
import { programLine } from "../files/package.ts";

/** Classes whose share is told, and names of those that are rare. */
const TOLD = 4;
/** Training photos of a class below which there is little to learn it from. */
const FEW_PHOTOS = 10;

/**
 * What the photos of a run hold, in three sentences; none of drawn ones. To be called when they have been read.
 *
 * @param path of the data, for the command that says more
 */
export async function describeClasses(data: RunData, path: string | null): Promise<string[]> {
  const { folder, photos } = data;
  if (folder === null || path === null) return [];
  const { pixels, having, ignored } = await countClasses(photos);
  return [
    shares(folder.format, photos, pixels, ignored),
    rarities(photos.classNames, having),
    `${await copies(data)}. ${programLine("data", path)} shows all of it.`,
  ];
}

interface ClassCounts {
  readonly pixels: Float64Array;
  /** Photos that have some of each class. */
  readonly having: Uint32Array;
  readonly ignored: number;
}

async function countClasses(photos: SegmentationDataset): Promise<ClassCounts> {
  const [pixels, having] = [new Float64Array(256), new Uint32Array(256)];
  for (let index = 0; index < photos.size; index++) {
    const own = new Uint32Array(256);
    const { mask } = await photos.load(index);
    for (let i = 0; i < mask.length; i++) own[mask[i]]++;
    own.forEach((count, label) => {
      pixels[label] += count;
      if (count > 0) having[label]++;
    });
  }
  const classes = photos.classNames.length;
  return {
    pixels: pixels.subarray(0, classes),
    having: having.subarray(0, classes),
    ignored: photos.ignores ? pixels[IGNORE] : 0,
  };
}

function shares(
  format: string,
  { classNames }: SegmentationDataset,
  pixels: Float64Array,
  ignored: number,
): string {
  const counted = pixels.reduce((sum, count) => sum + count, 0);
  const percent = (part: number, of: number): string => `${((100 * part) / of).toFixed(1)} %`;
  const most = [...pixels.keys()].sort((a, b) => pixels[b] - pixels[a]).slice(0, TOLD);
  const told = most.filter((label) => pixels[label] > 0);
  const first = `Read as ${format}, ${classNames.length} classes`;
  const uncounted = ignored > 0 ? `; ${percent(ignored, ignored + counted)} of the pixels do not count` : "";
  if (told.length === 0) return `${first}${uncounted}.`;
  return `${first}, of the pixels ${told.map((label) => `${classNames[label]} ${percent(pixels[label], counted)}`).join(", ")}${uncounted}.`;
}

function rarities(classNames: readonly string[], having: Uint32Array): string {
  const few = [...having.keys()].filter((label) => having[label] < FEW_PHOTOS);
  if (few.length === 0) return `Every class is in ${FEW_PHOTOS} training photos or more.`;
  const names = few.slice(0, TOLD).map((label) => `${classNames[label]} (${having[label]})`);
  const more = few.length > names.length ? " …" : "";
  return `${few.length === 1 ? "1 class is" : `${few.length} classes are`} in fewer than ${FEW_PHOTOS} training photos: ${names.join(", ")}${more}.`;
}

/** Whether photos are trained and validated on. */
async function copies(data: RunData): Promise<string> {
  const record = await data.record();
  const trained = new Map(record?.training.map(({ photo }) => [photo.sha256, photo.file]));
  const both = record?.validation.filter(({ photo }) => trained.has(photo.sha256)) ?? [];
  if (both.length === 0) return "No photo is in both parts";
  const [{ photo }] = both;
  return (
    `${count(both.length, "validation photo")} (${photo.file}, for one) ${both.length === 1 ? "is" : "are"} trained on as well, so ` +
    `that validation will look too good`
  );
}
