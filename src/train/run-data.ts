import { createHash } from "node:crypto";
import { relative, sep } from "node:path";
import { cropsReachOut, isRandom, noAugmentation, randomly } from "../data/augment.ts";
import type { Augmentation, CropOptions } from "../data/augment.ts";
import type { MaskInterpolation } from "../data/augment/geometry.ts";
import { isPlain, labellingRecord } from "../data/classes/labelling.ts";
import { mapConcurrently } from "../data/concurrency.ts";
import { copies } from "../data/copies.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import { FolderDataset } from "../data/folder-dataset.ts";
import { GeneratedDataset } from "../data/generated-dataset.ts";
import { parseSize } from "../image-size.ts";
import { ignoring } from "../data/ignoring.ts";
import { describeParts, splitByParts, trainTestSplit } from "../data/split.ts";
import { subset } from "../data/subset.ts";
import { parseRange } from "../config/index.ts";
import type { TrainConfig } from "../config/index.ts";
import type { DataRecord, PairRecord } from "../runs/data-record.ts";

/** Drawings that the generated data set holds. */
const GENERATED = 400;
/** Where resized photos are kept from run to run. */
const CACHE = ".cache/samples";

/** The photos of a run, split and prepared as its configuration says. */
export interface RunData {
  /** The folder they are read from; null when they are drawn. */
  readonly folder: FolderDataset | null;
  readonly maskInterpolation: MaskInterpolation;
  /** Photos before the split. */
  readonly total: number;
  /** The training photos, each once. */
  readonly photos: SegmentationDataset;
  /** What is trained on: the training photos, or a copy of them for each augmentation. */
  readonly training: SegmentationDataset;
  readonly validation: SegmentationDataset;
  /** What is done to each sample as it is drawn. */
  readonly augment: Augmentation;
  readonly stepsPerEpoch: number;
  /** Tells this split of photos of these names from any other. */
  readonly fingerprint: string;
  /**
   * What each file holds; null when photos are drawn. Once they have been read, it reads nothing again.
   *
   * @throws DataError when a file cannot be read.
   */
  record(): Promise<DataRecord | null>;
  /**
   * Reads the photos, of both parts by default: bad files come to light before anything is written, and training
   * waits for no disk. Says what was decided on the way.
   *
   * @throws DataError, or the signal's reason.
   */
  read(options: {
    part?: "training" | "validation";
    signal?: AbortSignal | undefined;
    onProgress?: (share: number) => void;
  }): Promise<void>;
}

/**
 * @param onWarning is told what may not be as the user wants it, as `FolderOptions.onWarning` is.
 * @throws DataError when the photos cannot be used.
 */
export async function openData(
  config: TrainConfig,
  onWarning: (sentence: string) => void,
  signal?: AbortSignal,
): Promise<RunData> {
  const imageSize = parseSize(config.imageSize)!;
  const { resize, lossyMasks, batchSize, overfitBatch, format, classes, labelMap, ignoreLabel } = config;
  const folder =
    config.data === null
      ? null
      : await FolderDataset.open(config.data, {
          ...{ imageSize, resize, format, classes, labelMap, ignoreLabel, lossyMasks, onWarning, signal },
          maskInterpolation: config.maskInterpolation,
          cacheFolder: config.cache ? CACHE : null,
        });
  const dataset = folder ?? new GeneratedDataset({ size: GENERATED, imageSize, seed: config.seed });
  // The drawn people wear the tutorial's classes.
  const asked = config.maskInterpolation === "auto" ? "bilinear" : config.maskInterpolation;
  const maskInterpolation = folder?.maskInterpolation ?? asked;
  const own = folder && splitByParts(folder.pairs.map(({ part }) => part));
  if (own) onWarning(describeParts(own));
  const split = own ?? trainTestSplit(dataset.size, { seed: config.splitSeed });
  const trained = overfitBatch ? split.train.slice(0, batchSize) : split.train;
  const validated = overfitBatch ? trained : split.test.slice(0, validationCount(split.test.length, config));
  const photos = subset(dataset, trained);
  const augmentations = overfitBatch ? null : config.augment;
  const copied = augmentations !== null && config.augmentMode === "copies";
  const crop = overfitBatch ? undefined : cropOf(config);
  const reachesOut = crop !== undefined && cropsReachOut(crop, imageSize);
  const drawn = copied ? [] : (augmentations ?? []);
  const augment =
    drawn.length === 0 && crop === undefined
      ? noAugmentation
      : randomly(drawn, { maskInterpolation }, { crop, reachesOut });
  const each = copied
    ? copies(
        photos,
        augmentations.filter((name) => !isRandom(name)),
        { maskInterpolation },
      )
    : photos;
  const names = (indices: readonly number[]): string[] => indices.map((index) => dataset.names[index]);
  return {
    folder,
    maskInterpolation,
    total: dataset.size,
    photos,
    training: augment.leavesIgnored ? ignoring(each) : each,
    validation: subset(dataset, validated),
    augment,
    stepsPerEpoch: config.stepsPerEpoch ?? Math.max(1, Math.floor(photos.size / batchSize)),
    fingerprint: createHash("sha256")
      .update(JSON.stringify([names(trained), names(validated)]))
      .digest("hex"),
    record: async () => {
      if (folder === null) return null;
      const records = async (indices: readonly number[]): Promise<PairRecord[]> =>
        mapConcurrently(indices, (index) => recordOf(folder, config.data!, index));
      const [training, validation] = [await records(trained), await records(validated)];
      const labelling = isPlain(folder.labelling) ? undefined : labellingRecord(folder.labelling);
      return { classNames: dataset.classNames, ...(labelling && { labelling }), training, validation };
    },
    read: async ({ part, signal, onProgress }) => {
      const parts = { training: trained, validation: validated };
      const indices = part ? parts[part] : [...new Set([...trained, ...validated])];
      await folder?.readAll({
        indices,
        ...(signal && { signal }),
        onProgress: (done) => onProgress?.(done / indices.length),
      });
    },
  };
}

/** The crops that are trained on; none where whole photos are. */
function cropOf({ crop, scale }: TrainConfig): CropOptions | undefined {
  if (crop === null) return undefined;
  return { size: parseSize(crop)!, scale: scale === null ? [1, 1] : parseRange(scale) };
}

async function recordOf(data: FolderDataset, folder: string, index: number): Promise<PairRecord> {
  const { name, image, mask } = data.pairs[index];
  const contents = await data.contents(index);
  const within = (file: string): string => relative(folder, file).split(sep).join("/");
  return {
    name,
    photo: { file: within(image), sha256: contents.photo },
    mask: { file: within(mask), sha256: contents.mask },
  };
}

/** How many of the split's validation photos are used. */
function validationCount(
  photos: number,
  { validationPhotos, validationDropRemainder, batchSize }: TrainConfig,
): number {
  const most = Math.min(photos, validationPhotos ?? photos);
  if (!validationDropRemainder || most < batchSize) return most;
  return most - (most % batchSize);
}
