import { relative, sep } from "node:path";
import { IGNORE } from "../data/dataset.ts";
import type { FolderDataset } from "../data/folder-dataset.ts";
import { sentencesOf } from "../data/remarks.ts";
import type { OwnSplit, Split } from "../data/split.ts";
import type { ClassReport, DataReport } from "./data-report.ts";
import { findDuplicates } from "./duplicates.ts";
import type { Examination, Examined } from "./examine.ts";
import { suggest } from "./suggest.ts";

/** Sums up what was found of a data set's pairs. */
export function reportOf(
  path: string,
  dataset: FolderDataset,
  { pairs, faults }: Examined,
  split: Split | OwnSplit,
  said: readonly string[],
): DataReport {
  const found = [...pairs.values()];
  const parts = { training: new Set(split.train), validation: new Set(split.test) };
  const [pixels, ignored] = pixelsOf(found, dataset.classNames.length, dataset.ignores);
  const counted = pixels.reduce((sum, n) => sum + n, 0);
  const classes = dataset.classNames.map((name, label): ClassReport => {
    const having = [...pairs].filter(([, pair]) => pair.pixels.has(label)).map(([index]) => index);
    return {
      ...{ label, name, pixels: pixels[label], share: counted === 0 ? 0 : pixels[label] / counted },
      photos: having.length,
      trainingPhotos: having.filter((index) => parts.training.has(index)).length,
      validationPhotos: having.filter((index) => parts.validation.has(index)).length,
    };
  });
  const nameOf = (index: number): string => relative(path, dataset.pairs[index].image).split(sep).join("/");
  const duplicates = findDuplicates(pairs).map(({ photos, exact }) => ({
    photos: photos.map(nameOf),
    exact,
    acrossSplit: [parts.training, parts.validation].every((part) => photos.some((index) => part.has(index))),
  }));
  const remarks = dataset.names.map((name, index) => [name, pairs.get(index)?.remarks ?? []] as const);
  const report = {
    ...{ path, format: dataset.format, photos: dataset.size },
    split: {
      own: "validatesOn" in split,
      training: split.train.length,
      validation: split.test.length,
      keptOut: "keptOut" in split ? split.keptOut : 0,
    },
    sizes: sizesOf(found),
    kinds: tally(found.map(({ kind }) => kind)),
    classes,
    ignored: { pixels: ignored, share: ignored === 0 ? 0 : ignored / (ignored + counted) },
    uncounted: dataset.ignores
      ? [...pairs]
          .filter(([, pair]) => pair.pixels.size === 1 && pair.pixels.has(IGNORE))
          .map(([index]) => nameOf(index))
      : [],
    duplicates,
    said: [...said, ...sentencesOf(remarks)],
    faults: [...faults].sort(([a], [b]) => a - b).map(([, { message }]) => message),
    usable: faults.size === 0,
  };
  return { ...report, suggestions: suggest(report) };
}

function pixelsOf(found: readonly Examination[], classes: number, ignores: boolean): [number[], number] {
  const all = new Array<number>(256).fill(0);
  for (const { pixels } of found) for (const [label, count] of pixels) all[label] += count;
  return [all.slice(0, classes), ignores ? all[IGNORE] : 0];
}

function sizesOf(found: readonly Examination[]): DataReport["sizes"] {
  if (found.length === 0) return null;
  const sorted = found
    .map(({ width, height }) => [width, height] as const)
    .sort(([w, h], [v, g]) => w * h - v * g || w - v);
  return {
    different: new Set(sorted.map((size) => size.join("×"))).size,
    smallest: sorted[0],
    median: sorted[Math.floor(sorted.length / 2)],
    largest: sorted[sorted.length - 1],
  };
}

const tally = (words: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
};
