import type { TrainConfig } from "../config/index.ts";
import { FolderDataset } from "../data/folder-dataset.ts";
import { splitByParts, trainTestSplit } from "../data/split.ts";
import { examine } from "./examine.ts";
import { dataFigure } from "./figure.ts";
import { reportOf } from "./report.ts";
import type { DataReport } from "./data-report.ts";

/** How a data set is read: settings of a run. */
export type InspectSettings = Pick<
  TrainConfig,
  "format" | "classes" | "labelMap" | "ignoreLabel" | "lossyMasks" | "splitSeed"
>;

export interface Inspection {
  readonly report: DataReport;
  /** Draws samples and classes; null where no photo can be used. */
  readonly picture: (() => Promise<Buffer>) | null;
}

/** Samples are not asked for; any size does. */
const IMAGE_SIZE = 32;

/**
 * Looks at a data set and trains nothing: decodes all of it at its own size.
 *
 * @param onProgress is told how many photos are done, of how many
 * @throws DataError when it cannot even be listed, or its classes cannot be told; the signal's reason
 */
export async function inspect(
  path: string,
  settings: InspectSettings,
  {
    cacheFolder,
    signal,
    onProgress,
  }: {
    readonly cacheFolder: string | null;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((done: number, all: number) => void) | undefined;
  },
): Promise<Inspection> {
  const said: string[] = [];
  const { lossyMasks, splitSeed, ...classes } = settings;
  const dataset = await FolderDataset.open(path, {
    ...{ imageSize: IMAGE_SIZE, ...classes, lossyMasks, cacheFolder, signal },
    onWarning: (sentence) => said.push(sentence),
  });
  const own = splitByParts(dataset.pairs.map(({ part }) => part));
  const split = own ?? trainTestSplit(dataset.size, { seed: splitSeed });
  const examined = await examine(dataset, {
    ...{ signal, lossyMasks },
    onProgress: (done) => onProgress?.(done, dataset.size),
  });
  const report = reportOf(path, dataset, examined, split, said);
  const usable = [...examined.pairs.keys()].sort((a, b) => a - b);
  return {
    report,
    picture: usable.length === 0 ? null : () => dataFigure(report, dataset, usable, lossyMasks),
  };
}
