import { count } from "../data/data-error.ts";
import { percent } from "../runs/figures/overlay.ts";
import { textTable } from "../text-table.ts";
import type { DataReport } from "./data-report.ts";

/** Lines of a kind that are written out. */
const SHOWN = 10;

/** A report as the terminal shows it. */
export function reportText(report: DataReport): string {
  const { photos, split, sizes, kinds, classes, ignored, duplicates, said, faults, suggestions } = report;
  const own = split.own ? "the data's own split" : "split by chance, --split-seed";
  const kept = split.keptOut > 0 ? `, ${split.keptOut} for tests stay out` : "";
  const formats = Object.entries(kinds).sort(([, a], [, b]) => b - a);
  return [
    `${report.path}: ${report.format}`,
    `Photos   ${photos}: ${split.training} to train on, ${split.validation} to validate on (${own})${kept}`,
    ...(sizes === null
      ? []
      : [
          `Sizes    ${sizes.smallest.join("×")} to ${sizes.largest.join("×")}, median ${sizes.median.join("×")}, ` +
            `${count(sizes.different, "different one")}; ${formats.map(([kind, n]) => `${n} ${kind.toUpperCase()}`).join(", ")}`,
        ]),
    `Classes  ${classes.length}`,
    "",
    classTable(report),
    ...(ignored.pixels > 0 ? ["", `${percent(ignored.share)} of all pixels do not count.`] : []),
    ...section("Photos of which no pixel counts", report.uncounted),
    ...section(
      "The same photo more than once",
      duplicates.map(
        (group) =>
          `${group.photos.slice(0, 4).join(", ")}${group.photos.length > 4 ? ` and ${group.photos.length - 4} more` : ""}` +
          `${group.exact ? "" : " (look alike)"}${group.acrossSplit ? ": on both sides of the split" : ""}`,
      ),
    ),
    ...section("Said of the data", said, Infinity),
    ...section(`Cannot be used (${faults.length})`, faults),
    ...section(
      "Worth a thought",
      suggestions.map(({ setting, why }) => (setting === null ? why : `${setting}: ${why}`)),
      Infinity,
    ),
  ].join("\n");
}

function classTable({ classes }: DataReport): string {
  const rows = classes.map(({ label, name, share, photos, trainingPhotos, validationPhotos }) => [
    ...[
      String(label),
      name,
      percent(share),
      String(photos),
      String(trainingPhotos),
      String(validationPhotos),
    ],
  ]);
  return textTable([["", "class", "pixels", "photos", "training", "validation"], ...rows], [0, 2, 3, 4, 5]);
}

function section(title: string, lines: readonly string[], most = SHOWN): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > most ? [`  … and ${lines.length - most} more`] : [];
  return ["", `${title}:`, ...lines.slice(0, most).map((line) => `  ${line}`), ...more];
}
