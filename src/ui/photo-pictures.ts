import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JudgedFigureName } from "../runs/figures/judged.ts";
import type { Picture } from "./run-state.ts";

const LABELS: Record<JudgedFigureName, string> = {
  worst_best: "Worst and best",
  overlay_worst_1: "Worst",
  overlay_worst_2: "Second worst",
  overlay_best_1: "Best",
  overlay_best_2: "Second best",
};

/** The pictures of single photos that a run has in its folder. */
export async function listPhotos(folder: string): Promise<Picture[]> {
  const names = new Set(await readdir(join(folder, "figures")).catch(() => []));
  return Object.entries(LABELS)
    .filter(([id]) => names.has(`${id}.png`))
    .map(([id, label]) => ({ id, label }));
}

/** PNG of one of them; null for anything else, and where there is none. */
export async function photoPicture(folder: string, id: string): Promise<Buffer | null> {
  if (!Object.hasOwn(LABELS, id)) return null;
  return readFile(join(folder, "figures", `${id}.png`)).catch(() => null);
}
