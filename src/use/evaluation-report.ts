import type { EvaluationData, ModelEvaluation } from "./model-evaluation.ts";
import type { Model } from "./model.ts";
import type { EvaluationSplit } from "./splits.ts";
import { printSize } from "../image-size.ts";
import type { WrittenSize } from "../image-size.ts";
import type { Precision } from "../config/index.ts";

export const RESOLUTIONS = ["model", "photo"] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** What an evaluation says of one class. */
export interface ClassReport {
  readonly id: number;
  readonly name: string;
  /** Pixels that are this class in the truth, and their share of all that count. */
  readonly pixels: number;
  readonly share: number;
  /** Pixels that are predicted as this class. */
  readonly predicted_pixels: number;
  /** Intersection over union; null for a class that is neither in the truth nor predicted. */
  readonly iou: number | null;
  /** F1 score; null where the IoU is. */
  readonly dice: number | null;
  /** Of the predicted pixels the share that is right; null for a class that was not predicted. */
  readonly precision: number | null;
  /** Of the true pixels the share that was found; null for a class that is not in the truth. */
  readonly recall: number | null;
  /** Mean over the photos where the class has an edge; null where it has none. */
  readonly boundary_f1: number | null;
}

/** What `npm run eval` writes as JSON. */
export interface EvaluationReport {
  /** The checkpoint. */
  readonly model: string;
  /** The folder of photos; null for drawn ones. */
  readonly data: string | null;
  readonly split: EvaluationSplit;
  readonly photos: number;
  /** Pixels that were compared, and those that do not count. */
  readonly pixels: number;
  readonly ignored_pixels: number;
  /** As flags have it: `128`, or `"96x64"`, height by width. */
  readonly image_size: WrittenSize;
  /** At which size masks were compared, the network's or the photos' own, and how the network saw the photos. */
  readonly resolution: Resolution;
  readonly seen: string;
  readonly mask_interpolation: EvaluationData["maskInterpolation"];
  readonly adapter: string;
  /** What activations were stored in. */
  readonly precision: Precision;
  /** Bytes that the evaluator held on the GPU. */
  readonly gpu_bytes: number;
  /** Mean cross-entropy over all pixels that count; null at the photos' own size, where masks alone are compared. */
  readonly loss: number | null;
  readonly accuracy: number;
  /** The accuracy of predicting class 0 everywhere. */
  readonly background_accuracy: number;
  /** Over the classes that occur in the truth. */
  readonly mean_iou: number;
  readonly mean_dice: number;
  /** Mean recall. */
  readonly mean_accuracy: number;
  /** IoU of each class weighed by its true pixels. */
  readonly fw_iou: number;
  /** Mean over the photos of the mean over the classes with an edge there; null where there is no edge. */
  readonly boundary_f1: number | null;
  readonly present_classes: number;
  /** In the order of their ids. */
  readonly classes: readonly ClassReport[];
  /** Pixels: rows are the truth, columns the prediction. */
  readonly confusion: readonly (readonly number[])[];
}

export function evaluationReport(
  evaluation: ModelEvaluation,
  model: Model,
  context: Pick<
    EvaluationReport,
    "adapter" | "data" | "split" | "mask_interpolation" | "resolution" | "seen"
  >,
): EvaluationReport {
  const { loss, accuracy, meanIou, backgroundAccuracy, count, confusion } = evaluation;
  const [truth, predicted, iou] = [confusion.pixelCounts(), confusion.predictedCounts(), confusion.iou()];
  const [dice, precision, recall] = [confusion.dice(), confusion.precision(), confusion.recall()];
  const boundary = evaluation.boundaryF1.perClass();
  const { total } = confusion;
  return {
    model: model.file,
    data: context.data,
    split: context.split,
    photos: count,
    pixels: total,
    ignored_pixels: evaluation.pixels - total,
    image_size: printSize(model.imageSize),
    resolution: context.resolution,
    seen: context.seen,
    mask_interpolation: context.mask_interpolation,
    adapter: context.adapter,
    precision: evaluation.precision,
    gpu_bytes: evaluation.gpuBytes,
    loss,
    accuracy,
    background_accuracy: backgroundAccuracy,
    mean_iou: meanIou,
    mean_dice: evaluation.meanDice,
    mean_accuracy: confusion.meanAccuracy,
    fw_iou: evaluation.frequencyWeightedIou,
    boundary_f1: evaluation.boundaryF1.mean,
    present_classes: truth.filter((pixels) => pixels > 0).length,
    classes: model.classNames.map((name, id) => ({
      id,
      name,
      pixels: truth[id],
      share: truth[id] / total,
      predicted_pixels: predicted[id],
      iou: iou[id],
      dice: dice[id],
      precision: precision[id],
      recall: recall[id],
      boundary_f1: boundary[id],
    })),
    confusion: model.classNames.map((_, id) => [
      ...confusion.counts.subarray(id * confusion.classes, (id + 1) * confusion.classes),
    ]),
  };
}

/** The report for a terminal: the whole, then a line for each class that occurs, the most frequent first. */
export function formatReport(report: EvaluationReport): string {
  const present = report.classes
    .filter(({ pixels }) => pixels > 0)
    .sort((a, b) => b.pixels - a.pixels || a.id - b.id);
  const rows = present.map(({ name, pixels, share, predicted_pixels, ...figures }) => [
    name,
    whole(pixels),
    `${(100 * share).toFixed(2)} %`,
    whole(predicted_pixels),
    ...CLASS_FIGURES.map(([, figure]) => fixed(figures[figure])),
  ]);
  const { loss, accuracy, background_accuracy, mean_iou, present_classes, ignored_pixels } = report;
  return [
    `loss            ${fixed(loss)}`,
    `pixel accuracy  ${accuracy.toFixed(4)}   (background everywhere: ${background_accuracy.toFixed(4)})`,
    `mean IoU        ${mean_iou.toFixed(4)}   (of the ${present_classes} classes that occur)`,
    `mean Dice       ${report.mean_dice.toFixed(4)}`,
    `mean accuracy   ${report.mean_accuracy.toFixed(4)}`,
    `weighted IoU    ${report.fw_iou.toFixed(4)}   (by the classes' pixels)`,
    `boundary F1     ${fixed(report.boundary_f1)}${report.boundary_f1 === null ? "        (no edge between pixels that count)" : ""}`,
    ...(ignored_pixels === 0 ? [] : [`not counted     ${whole(ignored_pixels)} pixels`]),
    "",
    ...table(["class", "pixels", "share", "predicted", ...CLASS_FIGURES.map(([title]) => title)], rows),
    ...absence(report.classes),
    "",
  ].join("\n");
}

/** Columns of the table. */
const CLASS_FIGURES = [
  ["IoU", "iou"],
  ["Dice", "dice"],
  ["precision", "precision"],
  ["recall", "recall"],
  ["edges", "boundary_f1"],
] as const;

const fixed = (value: number | null): string => value?.toFixed(4) ?? "–";
const whole = (value: number): string => value.toLocaleString("en-US");

/** The first column is flush left, the others are flush right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  return [line(head), widths.map((width) => "─".repeat(width)).join("──"), ...rows.map(line)];
}

function absence(classes: readonly ClassReport[]): string[] {
  const absent = classes.filter(({ pixels }) => pixels === 0);
  if (absent.length === 0) return [];
  const names = absent.map(({ name, predicted_pixels }) =>
    predicted_pixels === 0 ? name : `${name} (predicted: ${whole(predicted_pixels)} pixels)`,
  );
  return ["", ...wrap(`Not in these photos (${absent.length}): ${names.join(", ")}.`, 100)];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
