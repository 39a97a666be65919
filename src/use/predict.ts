import { basename } from "node:path";
import { DataError } from "../data/data-error.ts";
import { printSize } from "../image-size.ts";
import { openPhoto } from "../data/photo.ts";
import { sentencesOf } from "../data/remarks.ts";
import type { Remark } from "../data/remarks.ts";
import type { Photo } from "../data/photo.ts";
import { FileError } from "../files/file-error.ts";
import { encodeSafetensors } from "../weights/safetensors.ts";
import { overlayFigure } from "../runs/figures/overlay.ts";
import { classShares } from "../masks/class-shares.ts";
import type { ClassShare } from "../masks/class-shares.ts";
import { geoJson } from "./outline-files.ts";
import type { CocoFile } from "./outline-files.ts";
import { maskPng } from "./mask-png.ts";
import type { MaskPng } from "./mask-kinds.ts";
import type { Labelled, Labeller } from "./labeller.ts";
import { outputNames } from "./output-sink.ts";
import type { OutputSink } from "./output-sink.ts";
import type { PhotoToLabel } from "./photo-to-label.ts";

export type { OutputSink } from "./output-sink.ts";
export type { PhotoToLabel } from "./photo-to-label.ts";

export interface PredictOptions {
  /** Whether the logits are written too, where there are any. */
  readonly logits?: boolean;
  /** What masks look like in a viewer; grey by default. */
  readonly maskPng?: MaskPng;
  /** Whether areas are written as polygons too. */
  readonly geoJson?: boolean;
  /** Gets the labels of all photos, to be written at the end. */
  readonly coco?: CocoFile | undefined;
  /** Told of each photo whose outputs are written. */
  readonly onDone?: (photo: PhotoToLabel, shares: readonly ClassShare[]) => void;
  /** Told of each photo that cannot be read or whose outputs cannot be written, in a sentence; the others are still done. */
  readonly onBad?: (photo: PhotoToLabel, sentence: string) => void;
  /** Told at the end, in a sentence each, what was decided in reading photos that can be read in two ways. */
  readonly onNote?: (sentence: string) => void;
  /** Ends the work after the photo in hand, or the windows in hand of one. */
  readonly signal?: AbortSignal | undefined;
}

/** What came of photos that were to be labelled. */
export interface PredictOutcome {
  /** Photos whose outputs are written. */
  readonly labelled: number;
  /** Photos that could not be labelled; see {@link PredictOptions.onBad}. */
  readonly failed: number;
}

/**
 * Labels photos and writes what comes of them, one photo's files after another's; files of the same names are replaced. The JSON comes
 * last, an older one goes first, and so it marks a photo that is done. Photos are asked for as they are needed, so there may be any number
 * of them.
 *
 * @throws FileError when an output cannot be written for a reason that holds for every photo, such as a full disk; the
 *   signal's reason when it is aborted; GpuError; what the iteration of `photos` throws.
 */
export async function predictPhotos(
  labeller: Labeller,
  photos: Iterable<PhotoToLabel> | AsyncIterable<PhotoToLabel>,
  sink: OutputSink,
  options: PredictOptions = {},
): Promise<PredictOutcome> {
  const { signal } = options;
  let [labelled, failed] = [0, 0];
  const bad = (photo: PhotoToLabel, sentence: string): void => {
    failed += 1;
    options.onBad?.(photo, sentence);
  };
  const remarks: [string, readonly Remark[]][] = [];
  for await (const group of groupsOf(photos, labeller.photosAtOnce)) {
    const decoded = await Promise.all(group.map((from) => decode(from, signal)));
    signal?.throwIfAborted();
    const usable: { from: PhotoToLabel; photo: Photo }[] = [];
    for (const [i, outcome] of decoded.entries()) {
      const from = group[i];
      const problem = "photo" in outcome ? labeller.problemOf?.(outcome.photo) : null;
      if (!("photo" in outcome)) bad(from, outcome.sentence);
      else if (problem) bad(from, `${from.photo} ${problem}`);
      else {
        usable.push({ from, photo: outcome.photo });
        remarks.push([from.photo, outcome.remarks]);
      }
    }
    if (usable.length === 0) continue;
    const labels = await labeller.label(
      usable.map(({ photo }) => photo),
      signal,
    );
    for (const [i, { from, photo }] of usable.entries()) {
      signal?.throwIfAborted();
      try {
        const shares = await writeOutputs(labeller, { from, photo, labelled: labels[i] }, sink, options);
        labelled += 1;
        options.onDone?.(from, shares);
      } catch (error) {
        if (!isOfItsName(error)) throw error;
        bad(from, error.message);
      }
    }
  }
  for (const sentence of sentencesOf(remarks)) options.onNote?.(sentence);
  return { labelled, failed };
}

async function* groupsOf<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  most: number,
): AsyncGenerator<Item[]> {
  let group: Item[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < most) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

async function decode(
  from: PhotoToLabel,
  signal: AbortSignal | undefined,
): Promise<{ photo: Photo; remarks: readonly Remark[] } | { sentence: string }> {
  try {
    return await (await openPhoto(await from.read(signal), from.photo)).decode();
  } catch (error) {
    if (error instanceof DataError) return { sentence: error.message };
    throw error;
  }
}

/** What is wrong with one file's name alone: the next photo's may be written. */
const OF_A_NAME = new Set(["ENAMETOOLONG", "EISDIR", "ENOTEMPTY", "EINVAL", "EILSEQ"]);

const isOfItsName = (error: unknown): error is FileError =>
  error instanceof FileError && OF_A_NAME.has((error.cause as NodeJS.ErrnoException | undefined)?.code ?? "");

async function writeOutputs(
  { model: { file, imageSize, classNames }, precision, view }: Labeller,
  { from, photo, labelled: { mask, logits } }: { from: PhotoToLabel; photo: Photo; labelled: Labelled },
  sink: OutputSink,
  options: PredictOptions,
): Promise<ClassShare[]> {
  const { width, height, pixels } = photo;
  const names = outputNames(from.stem);
  await sink.remove(names.shares);
  // The longest name first: where it is too long, nothing is written.
  if (options.logits && logits !== null) {
    const shape = [imageSize.height, imageSize.width, classNames.length];
    const tensors = new Map([["logits", { shape, data: logits }]]);
    await sink.put(names.logits, encodeSafetensors(tensors, { classes: JSON.stringify(classNames) }));
  }
  const raster = { width, height, rgb: pixels };
  await sink.put(names.overlay, await overlayFigure({ photo: raster, mask, classNames }));
  await sink.put(names.mask, await maskPng(mask, { width, height }, options.maskPng ?? "grey"));
  const labelled = { name: basename(from.photo), width, height, mask };
  if (options.geoJson)
    await sink.put(names.geoJson, Buffer.from(JSON.stringify(geoJson(labelled, classNames))));
  options.coco?.add(labelled);
  const classes = classShares(mask, classNames);
  const report = {
    photo: from.photo,
    width,
    height,
    model: file,
    image_size: printSize(imageSize),
    seen: view,
    precision,
    classes,
  };
  await sink.put(names.shares, Buffer.from(`${JSON.stringify(report, null, 2)}\n`));
  return classes;
}
