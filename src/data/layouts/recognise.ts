import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../data-error.ts";
import { messageOf } from "../../message-of.ts";
import { clothingCoParsing } from "./clothing-co-parsing.ts";
import { imagesMasks } from "./images-masks.ts";
import { kaggle } from "./kaggle.ts";
import type { Layout } from "./layout.ts";

/** The layouts that are known; where a folder has two of them, the first counts. */
export const LAYOUTS: readonly Layout[] = [imagesMasks, clothingCoParsing, kaggle];

/**
 * The layout of a data set's folder: the first whose two folders are there, else the first with one of them.
 * @throws DataError when there is no such folder, or none of the layouts' folders in it.
 */
export async function recogniseLayout(folder: string): Promise<Layout> {
  const [first, second, third] = LAYOUTS.map(({ description }) => description);
  const mend = `give a folder that holds ${first}, or ${second}, or ${third}`;
  const kind = await whatIs(folder);
  if (kind === undefined) throw new DataError(`There is no folder ${folder}: ${mend}.`);
  if (kind === "file") throw new DataError(`${folder} is not a folder: ${mend}.`);
  const there = await Promise.all(
    LAYOUTS.map(async ({ photos, masks }) => {
      const kinds = await Promise.all([photos, masks].map((files) => whatIs(join(folder, files.folder))));
      return kinds.filter((kind) => kind !== undefined).length;
    }),
  );
  const best = Math.max(...there);
  if (best === 0) throw new DataError(`${folder} holds no photos and masks in a layout known here: ${mend}.`);
  return LAYOUTS[there.indexOf(best)];
}

async function whatIs(path: string): Promise<"folder" | "file" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new DataError(`${path} cannot be looked at (${messageOf(error)}): make it readable.`);
  }
}
