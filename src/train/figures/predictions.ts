import sharp from "sharp";
import { classColour, paintMask } from "./palette.ts";
import { renderSvg } from "./render-svg.ts";
import { MUTED, shorten, svgDocument, text } from "./svg.ts";

export interface PredictionSample {
  readonly name: string;
  /** `[S, S, 3]`, RGB in [0, 1]. */
  readonly image: Float32Array;
  /** `[S, S]`, the class of each pixel. */
  readonly truth: Uint8Array;
  readonly prediction: Uint8Array;
}

export interface PredictionsFigureOptions {
  /** S, the side of the photos in pixels. */
  readonly imageSize: number;
  readonly samples: readonly PredictionSample[];
  readonly classNames: readonly string[];
  readonly title?: string;
}

/** Pixels of the PNG a unit of the SVG. */
const SCALE = 1.5;
/** In pixels of the PNG. */
const CELL_PIXELS = 384;
/** In units of the SVG, as all that follow. */
const GAP = 10;
const MARGIN = 24;
const ROW_LABELS = 84;
/** `column` is the least width of one. */
const LEGEND = { column: 165, row: 22, swatch: 13 } as const;

/** PNG with a column for each sample: photo, true mask and predicted mask one below the other, and a legend. */
export async function predictionsFigure(options: PredictionsFigureOptions): Promise<Buffer> {
  const { imageSize, samples, classNames, title = "Predictions on validation photos" } = options;
  const pixels = cellPixels(imageSize);
  const side = pixels / SCALE;
  const left = MARGIN + ROW_LABELS;
  const width = left + Math.max(samples.length, 2) * (side + GAP) - GAP + MARGIN;
  const top = 82;
  const rowTop = (row: number): number => top + row * (side + GAP);
  const rows = ["Photo", "Truth", "Prediction"].map((label, row) =>
    text(label, left - 12, rowTop(row) + side / 2 + 5, { bold: true, anchor: "end" }),
  );
  const columns = await Promise.all(
    samples.map(async ({ name, image, truth, prediction }, column) => {
      const x = left + column * (side + GAP);
      const pictures = [photoBytes(image), paintMask(truth), paintMask(prediction)];
      const cells = pictures.map((rgb, row) => cell(rgb, imageSize, pixels, x, rowTop(row), row === 0));
      const accuracy = `accuracy ${pixelAccuracy(truth, prediction).toFixed(3)}`;
      return [
        text(shorten(name, Math.floor(side / 8.5)), x + side / 2, top - 10, {
          anchor: "middle",
          colour: MUTED,
        }),
        ...(await Promise.all(cells)),
        text(accuracy, x + side / 2, rowTop(3) + 8, { anchor: "middle", colour: MUTED }),
      ];
    }),
  );
  const legendTop = rowTop(3) + 34;
  const labels = classesByFrequency(samples.flatMap(({ truth, prediction }) => [truth, prediction]));
  const legendWidth = width - left - MARGIN;
  const legendColumns = Math.floor(legendWidth / LEGEND.column);
  const height = legendTop + Math.ceil(labels.length / legendColumns) * LEGEND.row + MARGIN - 8;
  return renderSvg(
    svgDocument(width, height, [
      text(shorten(title, Math.floor((width - 2 * MARGIN) / 9)), MARGIN, 38, { size: 18, bold: true }),
      ...rows,
      ...columns.flat(),
      ...legend(labels, classNames, left, legendTop, legendColumns, legendWidth),
    ]),
    SCALE,
  );
}

/** Share of equal labels. */
export function pixelAccuracy(truth: Uint8Array, prediction: Uint8Array): number {
  return truth.reduce((sum, label, pixel) => sum + Number(label === prediction[pixel]), 0) / truth.length;
}

/** The classes that occur in `masks`, the most frequent first. */
export function classesByFrequency(masks: readonly Uint8Array[]): number[] {
  const counts = new Map<number, number>();
  for (const mask of masks) for (const label of mask) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)! || a - b);
}

const photoBytes = (image: Float32Array): Uint8Array =>
  Uint8Array.from(image, (value) => Math.round(Math.min(1, Math.max(0, value)) * 255));

/** The side of a cell in pixels of the PNG, near 384: a whole multiple of the photo's, unless that is a large one. */
export const cellPixels = (imageSize: number): number =>
  imageSize > 512 ? CELL_PIXELS : imageSize * Math.max(1, Math.round(CELL_PIXELS / imageSize));

/** A square picture in the pixels of the PNG, so that the renderer has nothing to resample; masks keep hard edges. */
async function cell(
  rgb: Uint8Array,
  size: number,
  pixels: number,
  x: number,
  y: number,
  smooth: boolean,
): Promise<string> {
  const png = await sharp(rgb, { raw: { width: size, height: size, channels: 3 } })
    .resize(pixels, pixels, { kernel: smooth ? "lanczos3" : "nearest" })
    .png()
    .toBuffer();
  const data = `data:image/png;base64,${png.toString("base64")}`;
  return `<image x="${x}" y="${y}" width="${pixels / SCALE}" height="${pixels / SCALE}" image-rendering="optimizeSpeed" href="${data}"/>`;
}

function legend(
  labels: readonly number[],
  classNames: readonly string[],
  left: number,
  top: number,
  columns: number,
  width: number,
): string[] {
  const { row, swatch } = LEGEND;
  return labels.map((label, i) => {
    const x = left + (i % columns) * (width / columns);
    const y = top + Math.floor(i / columns) * row;
    const square = `<rect x="${x}" y="${y}" width="${swatch}" height="${swatch}" rx="2" fill="${classColour(label)}" stroke="#00000033"/>`;
    return square + text(shorten(classNames[label] ?? `class ${label}`, 20), x + swatch + 7, y + 11);
  });
}
