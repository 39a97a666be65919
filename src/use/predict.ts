import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { DataError } from "../data/data-error.ts";
import { printSize } from "../image-size.ts";
import { openPhoto } from "../data/photo.ts";
import { sentencesOf } from "../data/remarks.ts";
import type { Remark } from "../data/remarks.ts";
import type { Photo } from "../data/photo.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { FileError } from "../files/file-error.ts";
import { writeSafetensors } from "../weights/safetensors-file.ts";
import { overlayFigure } from "../runs/figures/overlay.ts";
import { classShares } from "../masks/class-shares.ts";
import type { ClassShare } from "../masks/class-shares.ts";
import { geoJson } from "./outline-files.ts";
import type { CocoFile } from "./outline-files.ts";
import { maskPng } from "./mask-png.ts";
import type { MaskPng } from "./mask-kinds.ts";
import type { PredictJob } from "./predict-files.ts";
import type { Labelled, Labeller } from "./labeller.ts";
import { writeJson } from "../runs/run-folder.ts";

export interface PredictOptions {
  /** Whether the logits are written too, where there are any. */
  readonly logits: boolean;
  /** What masks look like in a viewer; grey by default. */
  readonly maskPng?: MaskPng;
  /** Whether areas are written as polygons too. */
  readonly geoJson?: boolean;
  /** Gets the labels of all photos, to be written at the end. */
  readonly coco?: CocoFile | undefined;
  /** Told of each photo whose outputs are written. */
  readonly onDone?: (job: PredictJob, shares: readonly ClassShare[]) => void;
  /** Told of each photo that cannot be read or whose outputs cannot be written, in a sentence; the others are still done. */
  readonly onBad?: (sentence: string) => void;
  /** Told at the end, in a sentence each, what was decided in reading photos that can be read in two ways. */
  readonly onNote?: (sentence: string) => void;
  /** Ends the work after the photo in hand, or the windows in hand of one. */
  readonly signal?: AbortSignal;
}

/**
 * Labels photos and writes what comes of them, one photo's files after another's and each by rename, so never a half
 * file; files of the same names are replaced. The JSON comes last, an older one goes first, and so it marks a photo that is
 * done.
 *
 * @returns how many photos were not labelled.
 * @throws FileError when an output cannot be written for a reason that holds for every photo, such as a full disk; the
 *   signal's reason when it is aborted; GpuError.
 */
export async function predictPhotos(
  labeller: Labeller,
  jobs: readonly PredictJob[],
  options: PredictOptions,
): Promise<number> {
  const { photosAtOnce } = labeller;
  let bad = 0;
  const remarks: [string, readonly Remark[]][] = [];
  for (let first = 0; first < jobs.length; first += photosAtOnce) {
    const decoded = await Promise.all(jobs.slice(first, first + photosAtOnce).map(decode));
    options.signal?.throwIfAborted();
    const usable: { job: PredictJob; photo: Photo }[] = [];
    for (const outcome of decoded) {
      const problem = "photo" in outcome ? labeller.problemOf?.(outcome.photo) : null;
      if ("photo" in outcome && problem) {
        bad += 1;
        options.onBad?.(`${outcome.job.photo} ${problem}`);
      } else if ("photo" in outcome) {
        usable.push(outcome);
        remarks.push([outcome.job.photo, outcome.remarks]);
      } else {
        bad += 1;
        options.onBad?.(outcome.sentence);
      }
    }
    if (usable.length === 0) continue;
    const labelled = await labeller.label(
      usable.map(({ photo }) => photo),
      options.signal,
    );
    for (const [i, { job, photo }] of usable.entries()) {
      options.signal?.throwIfAborted();
      try {
        const shares = await writeOutputs(labeller, job, photo, labelled[i], options);
        options.onDone?.(job, shares);
      } catch (error) {
        if (!isOfItsName(error)) throw error;
        bad += 1;
        options.onBad?.(error.message);
      }
    }
  }
  for (const sentence of sentencesOf(remarks)) options.onNote?.(sentence);
  return bad;
}

async function decode(
  job: PredictJob,
): Promise<{ job: PredictJob; photo: Photo; remarks: readonly Remark[] } | { sentence: string }> {
  try {
    return { job, ...(await (await openPhoto(job.photo)).decode()) };
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
  job: PredictJob,
  { width, height, pixels }: Photo,
  { mask, logits }: Labelled,
  options: PredictOptions,
): Promise<ClassShare[]> {
  const photo = { width, height, rgb: pixels };
  await removeOld(job.shares);
  // The longest name first: where it is too long, nothing is written.
  if (options.logits && logits !== null) {
    const shape = [imageSize.height, imageSize.width, classNames.length];
    await writeSafetensors(job.logits, new Map([["logits", { shape, data: logits }]]), {
      classes: JSON.stringify(classNames),
    });
  }
  await writeFileAtomically(job.overlay, [await overlayFigure({ photo, mask, classNames })]);
  await writeFileAtomically(job.mask, [await maskPng(mask, { width, height }, options.maskPng ?? "grey")]);
  const labelled = { name: basename(job.photo), width, height, mask };
  if (options.geoJson)
    await writeFileAtomically(job.geoJson, [Buffer.from(JSON.stringify(geoJson(labelled, classNames)))]);
  options.coco?.add(labelled);
  const classes = classShares(mask, classNames);
  await writeJson(job.shares, {
    photo: job.photo,
    width,
    height,
    model: file,
    image_size: printSize(imageSize),
    seen: view,
    precision,
    classes,
  });
  return classes;
}

/** What cannot be removed cannot be replaced either, which is told when it comes to that. */
const removeOld = (file: string): Promise<void> => rm(file, { force: true }).catch(() => undefined);
