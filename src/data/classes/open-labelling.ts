import { readClassTable } from "../../files/class-table.ts";
import { DataError, together } from "../data-error.ts";
import type { DataSource } from "../formats/format.ts";
import { readLabelMap } from "./label-map.ts";
import type { Labelling } from "./labelling.ts";
import { resolveLabelling } from "./resolve.ts";
import type { LabellingOptions } from "./resolve.ts";
import { surveyMasks } from "./survey-masks.ts";
import type { SurveyOptions } from "./survey-masks.ts";
import { sumUp } from "./survey.ts";
import type { Survey } from "./survey.ts";

/** What somebody says of a data set's classes; all of it may be left to the data. */
export interface ClassOptions {
  /** How many classes there are, background included, or a file that names them (see `parseClassTable`). */
  classes?: number | string | null;
  /** A file that says what becomes what (see `readLabelMap`). */
  labelMap?: string | null;
  /** The number of pixels that do not count; null for none; found out by default. */
  ignoreLabel?: number | "auto" | null;
  /** The classes of a trained model, for data that tell nothing of theirs. */
  model?: readonly string[];
  /** Whether masks of formats that change numbers (JPEG, lossy WebP, AVIF) are taken; refused by default. */
  lossyMasks?: boolean;
  /** Where what was read is kept from one run to the next; nowhere by default. */
  cacheFolder?: string | null;
  /** Ends the reading when it is aborted. */
  signal?: AbortSignal | undefined;
}

/**
 * Decides what the pixels of a data set become, and looks its masks through where that takes it.
 *
 * @param say is told what was decided, in a sentence each
 * @throws DataError or FileError as `resolveLabelling`, `readLabelMap` and `readClassTable` do, and when no mask can be read;
 *   the signal's reason
 */
export async function openLabelling(
  source: DataSource,
  options: ClassOptions,
  say: (sentence: string) => void,
): Promise<Labelling> {
  const asked = await readOptions(options);
  const survey = needsSurvey(source, asked) ? await surveyed(source, options) : null;
  const uncounted = source.pairs.some(({ annotation }) =>
    annotation?.shapes.some(({ label }) => label === null),
  );
  return resolveLabelling({ declared: source.declared, survey, uncounted }, asked, say);
}

/** The options with their files read. */
export async function readOptions({
  classes = null,
  labelMap = null,
  ignoreLabel = "auto",
  model,
}: ClassOptions): Promise<LabellingOptions> {
  return {
    classes:
      typeof classes === "string"
        ? { file: classes, names: namedOf(classes, await readClassTable(classes)) }
        : classes,
    labelMap: labelMap === null ? null : await readLabelMap(labelMap),
    ignoreLabel,
    model,
  };
}

function namedOf<T>(file: string, names: readonly T[]): readonly T[] {
  if (names.length === 0) throw new DataError(`${file} names no class: write a name a line.`);
  return names;
}

/** Whether only the masks themselves tell the classes, or whether some of their pixels do not count. */
function needsSurvey(
  { declared }: DataSource,
  { classes, labelMap, ignoreLabel }: LabellingOptions,
): boolean {
  if (declared !== null && declared.keys !== "values") return false;
  if (labelMap?.some(({ from }) => from.kind === "colour")) return false;
  if (declared === null && classes === null) return true;
  return ignoreLabel === "auto" && declared?.ignored === undefined;
}

async function surveyed(
  { pairs }: DataSource,
  { lossyMasks, cacheFolder, signal }: Pick<SurveyOptions, "lossyMasks" | "cacheFolder" | "signal">,
): Promise<Survey> {
  const files = pairs.map(({ mask }) => mask);
  const { surveys, faults } = await surveyMasks(files, { lossyMasks, cacheFolder, signal });
  // The others come to light with the photos that cannot be read.
  if (surveys.size === 0) throw together([...faults.values()]);
  return sumUp([...surveys]);
}
