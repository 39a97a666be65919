import type { Dirent } from "node:fs";
import { extname } from "node:path";
import { printable } from "../files/printable.ts";

/** Kinds of files that are named when they are passed over. */
const KINDS_NAMED = 4;

/** `2 .heic files, 1 .txt file and 1 folder`: the most frequent endings first. */
export function summary(entries: readonly Pick<Dirent, "name" | "isDirectory">[]): string | null {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    const ending = printable(extname(entry.name).toLowerCase(), 20);
    const kind = entry.isDirectory() ? "folder" : ending === "" ? "file without an ending" : `${ending} file`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = sorted.slice(0, KINDS_NAMED).map(([kind, n]) => several(n, kind));
  const others = sorted.slice(KINDS_NAMED).reduce((sum, [, n]) => sum + n, 0);
  if (others > 0) shown.push(several(others, "other"));
  return shown.length < 2 ? (shown[0] ?? null) : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

/** `2 files without an ending` */
const several = (n: number, kind: string): string =>
  n === 1 ? `1 ${kind}` : `${n} ${kind.replace(/(file|folder|other)/, "$1s")}`;
