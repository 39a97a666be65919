import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fileError } from "./fetch-error.ts";
import type { Encoder } from "../layers/networks/encoder.ts";
import { DEFAULT_ENCODER } from "../layers/networks/encoders.ts";
import { CLOTHING, weightsSource } from "./sources.ts";
import type { FileSource } from "./sources.ts";

/** Says that a download is whole and verified; written last. */
export interface Marker {
  /** Where it came from. */
  readonly source: string;
  /** Which one it is: a tree's id or a checksum. */
  readonly version: string;
  /** The files by path below the marker's folder, and their sizes in bytes. */
  readonly files: Readonly<Record<string, number>>;
}

const markerSchema = z.object({
  source: z.string(),
  version: z.string(),
  files: z.record(z.string(), z.number()),
});

export const DATA_FOLDER = "data";
export const WEIGHTS_FOLDER = "weights";

/** Where the data set lies below the folder for data. */
export const clothingFolder = (dataFolder: string): string => join(dataFolder, "clothing-co-parsing");
export const clothingMarker = (dataFolder: string): string =>
  join(clothingFolder(dataFolder), "fetched.json");
export const weightsMarker = (weightsFolder: string, { name }: FileSource): string =>
  join(weightsFolder, `${name}.fetched.json`);

/** Which one a file is: its published digest, or where it comes from. */
export const versionOf = ({ url, checksum }: FileSource): string => checksum?.hex ?? url;

/**
 * The folder of the data set that `npm run fetch` has brought, ready for `--data`; null when it has not, or when some
 * of its files are missing since.
 */
export async function fetchedData(dataFolder = DATA_FOLDER): Promise<string | null> {
  const folder = clothingFolder(dataFolder);
  return (await isComplete(folder, clothingMarker(dataFolder), CLOTHING.tree)) ? folder : null;
}

/**
 * The file of an encoder's weights that `npm run fetch` has brought, ready for `--weights`, of two the one without a top; null
 * when it has brought none, or it is gone.
 */
export async function fetchedWeights(
  encoder: Encoder = DEFAULT_ENCODER,
  weightsFolder = WEIGHTS_FOLDER,
): Promise<string | null> {
  if (encoder.weights === null) return null;
  for (const top of [false, true]) {
    const source = weightsSource(encoder, { top });
    const marker = weightsMarker(weightsFolder, source);
    if (await isComplete(weightsFolder, marker, versionOf(source))) return join(weightsFolder, source.name);
  }
  return null;
}

/** Whether the marker speaks of this version and all its files are there with their sizes. */
export async function isComplete(folder: string, marker: string, version: string): Promise<boolean> {
  const text = await readFile(marker, "utf8").catch(() => "");
  let parsed;
  try {
    parsed = markerSchema.parse(JSON.parse(text));
  } catch {
    // No marker, or not one of ours: the files have to be looked at anew.
    return false;
  }
  if (parsed.version !== version) return false;
  const there = await Promise.all(
    Object.entries(parsed.files).map(([path, bytes]) =>
      stat(join(folder, path)).then(
        ({ size }) => size === bytes,
        () => false,
      ),
    ),
  );
  return there.every(Boolean);
}

export async function writeMarker(path: string, marker: Marker): Promise<void> {
  try {
    await writeFile(`${path}.part`, `${JSON.stringify(marker, null, 1)}\n`);
    await rename(`${path}.part`, path);
  } catch (error) {
    await rm(`${path}.part`, { force: true }).catch(() => undefined);
    throw fileError(error, path);
  }
}
