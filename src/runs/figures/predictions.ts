import type { Size } from "../../data/resize.ts";
import { className, classesByFrequency, legend, notCountedEntries } from "./legend.ts";
import {
  BELOW_TITLE,
  GAP,
  MARGIN,
  maskDrawing,
  mosaic,
  photoBytes,
  photoDrawing,
  SCALE,
  titleElement,
} from "./mosaic.ts";
import type { Column } from "./mosaic.ts";
import { classColour, paintMask } from "../../masks/palette.ts";
import { isIgnored } from "./not-counted.ts";
import { renderSvg } from "./render-svg.ts";
import { svgDocument } from "./svg.ts";

export { classesByFrequency } from "./legend.ts";

export interface PredictionSample extends Readonly<Size> {
  readonly name: string;
  /** `[height, width, 3]`, RGB in [0, 1]. */
  readonly image: Float32Array;
  /** `[height, width]`, the class of each pixel; `IGNORE` in `truth` where it does not count, unless that is a class. */
  readonly truth: Uint8Array;
  readonly prediction: Uint8Array;
}

export interface PredictionsFigureOptions {
  readonly samples: readonly PredictionSample[];
  readonly classNames: readonly string[];
  readonly title?: string;
}

/** PNG with a column for each sample: photo, true mask and predicted mask one below the other, and a legend. */
export async function predictionsFigure(options: PredictionsFigureOptions): Promise<Buffer> {
  const { samples, classNames, title = "Predictions on validation photos" } = options;
  const { elements, width, left, bottom } = await mosaic({
    columns: samples.map((sample) => column(sample, classNames.length)),
    rows: ["Photo", "Truth", "Prediction"],
    perBand: 5,
    top: BELOW_TITLE,
  });
  const masks = samples.flatMap(({ truth, prediction }) => [truth, prediction]);
  const entries = classesByFrequency(masks, classNames.length).map((label) => ({
    colour: classColour(label),
    label: className(label, classNames),
  }));
  const key = legend(
    [...entries, ...notCountedEntries(masks, classNames.length)],
    { x: left, y: bottom + 2 * GAP, width: width - left - MARGIN },
    125,
  );
  return renderSvg(
    svgDocument(width, bottom + 2 * GAP + key.height + MARGIN - GAP, [
      titleElement(title, width),
      ...elements,
      ...key.elements,
    ]),
    SCALE,
  );
}

function column(sample: PredictionSample, classes: number): Column {
  const { name, width, height, image, truth, prediction } = sample;
  const accuracy = pixelAccuracy(truth, prediction, classes);
  return {
    header: name,
    cells: [
      photoDrawing({ width, height, rgb: photoBytes(image) }),
      maskDrawing(sample, truth, classes, paintMask),
      maskDrawing(sample, prediction, classes, paintMask),
    ],
    footer: Number.isNaN(accuracy) ? "no pixel counts" : `accuracy ${accuracy.toFixed(3)}`,
  };
}

/** Share of the pixels that count whose labels are equal; NaN where none counts. */
export function pixelAccuracy(truth: Uint8Array, prediction: Uint8Array, classes: number): number {
  const counted = truth.reduce((sum, label) => sum + Number(!isIgnored(label, classes)), 0);
  const equal = (sum: number, label: number, pixel: number): number =>
    sum + Number(label === prediction[pixel] && !isIgnored(label, classes));
  return truth.reduce(equal, 0) / counted;
}
