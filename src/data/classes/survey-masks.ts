import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../../files/atomic-write.ts";
import { makeFolder } from "../../files/make-folder.ts";
import { stampOf } from "../../files/stamp.ts";
import { mapConcurrently } from "../concurrency.ts";
import { DataError } from "../data-error.ts";
import { openMask } from "../mask.ts";
import type { MaskOptions } from "../mask.ts";
import { surveyOf } from "./survey.ts";
import type { MaskSurvey } from "./survey.ts";

export interface SurveyOptions extends MaskOptions {
  /** Where surveys are kept from one run to the next; nowhere by default. */
  readonly cacheFolder?: string | null | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** What was found in masks, by their files. */
export interface SurveyedMasks {
  readonly surveys: ReadonlyMap<string, MaskSurvey>;
  /** Masks that cannot be read. */
  readonly faults: ReadonlyMap<string, DataError>;
}

/**
 * Counts the values of masks. Those of files that have not changed since are taken from the cache.
 *
 * @throws the signal's reason
 */
export async function surveyMasks(
  files: readonly string[],
  { cacheFolder = null, signal, onProgress, ...options }: SurveyOptions = {},
): Promise<SurveyedMasks> {
  const cache = cacheFolder === null || files.length === 0 ? null : cacheFile(cacheFolder, files, options);
  const kept = cache === null ? new Map<string, Kept>() : await readKept(cache);
  const surveys = new Map<string, MaskSurvey>();
  const faults = new Map<string, DataError>();
  const keep = new Map<string, Kept>();
  let anew = 0;
  let done = 0;
  await mapConcurrently(files, async (file) => {
    signal?.throwIfAborted();
    // Before the file is read: one that changes meanwhile is then read anew the next time.
    const stamp = await stampOf(file);
    const known = kept.get(file);
    try {
      const isKnown = known !== undefined && known.stamp === stamp;
      const survey = isKnown ? known.survey : await surveyMask(file, options);
      if (!isKnown) anew++;
      surveys.set(file, survey);
      if (stamp !== undefined) keep.set(file, { stamp, survey });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      faults.set(file, error);
    }
    onProgress?.(++done);
  });
  if (cache !== null && anew > 0) await writeKept(cache, keep);
  return { surveys: inOrder(files, surveys), faults: inOrder(files, faults) };
}

async function surveyMask(file: string, options: MaskOptions): Promise<MaskSurvey> {
  const mask = await openMask(file, options);
  const { values } = await mask.decode();
  return surveyOf(values, mask.width, mask.height);
}

const inOrder = <T>(files: readonly string[], found: ReadonlyMap<string, T>): Map<string, T> =>
  new Map(files.flatMap((file) => (found.has(file) ? [[file, found.get(file)!] as const] : [])));

interface Kept {
  readonly stamp: string;
  readonly survey: MaskSurvey;
}

/** To be raised when a mask's numbers come to be read otherwise. */
const VERSION = 1;

const schema: z.ZodType<[string, Kept][]> = z.array(
  z.tuple([
    z.string(),
    z.object({
      stamp: z.string(),
      survey: z.object({
        width: z.number(),
        height: z.number(),
        more: z.boolean(),
        values: z.array(z.object({ value: z.number(), pixels: z.number(), first: z.number() })),
      }),
    }),
  ]),
);

function cacheFile(folder: string, files: readonly string[], { colours, lossyMasks }: MaskOptions): string {
  const key = JSON.stringify([VERSION, files[0], files.length, colours ?? false, lossyMasks ?? false]);
  const digest = createHash("sha256").update(key).digest("hex").slice(0, 16);
  return join(folder, `${basename(join(files[0], "..")).slice(0, 60)}-${digest}.survey.json`);
}

async function readKept(file: string): Promise<Map<string, Kept>> {
  try {
    return new Map(schema.parse(JSON.parse(await readFile(file, "utf8"))));
  } catch {
    // Nothing that happens to the cache is an error.
    return new Map();
  }
}

async function writeKept(file: string, keep: ReadonlyMap<string, Kept>): Promise<void> {
  try {
    await makeFolder(join(file, ".."));
    await writeFileAtomically(file, [new TextEncoder().encode(JSON.stringify([...keep]))]);
  } catch {
    // The next run counts them again.
  }
}
