import { className, classesByFrequency, legend } from "./legend.ts";
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
import { renderSvg } from "./render-svg.ts";
import { svgDocument } from "./svg.ts";

export { classesByFrequency } from "./legend.ts";

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

/** PNG with a column for each sample: photo, true mask and predicted mask one below the other, and a legend. */
export async function predictionsFigure(options: PredictionsFigureOptions): Promise<Buffer> {
  const { imageSize, samples, classNames, title = "Predictions on validation photos" } = options;
  const { elements, width, left, bottom } = await mosaic({
    columns: samples.map((sample) => column(sample, imageSize)),
    rows: ["Photo", "Truth", "Prediction"],
    perBand: 5,
    top: BELOW_TITLE,
  });
  const labels = classesByFrequency(samples.flatMap(({ truth, prediction }) => [truth, prediction]));
  const key = legend(
    labels.map((label) => ({ colour: classColour(label), label: className(label, classNames) })),
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

function column({ name, image, truth, prediction }: PredictionSample, imageSize: number): Column {
  const size = { width: imageSize, height: imageSize };
  return {
    header: name,
    cells: [
      photoDrawing({ ...size, rgb: photoBytes(image) }),
      maskDrawing(size, truth, paintMask),
      maskDrawing(size, prediction, paintMask),
    ],
    footer: `accuracy ${pixelAccuracy(truth, prediction).toFixed(3)}`,
  };
}

/** Share of equal labels. */
export function pixelAccuracy(truth: Uint8Array, prediction: Uint8Array): number {
  return truth.reduce((sum, label, pixel) => sum + Number(label === prediction[pixel]), 0) / truth.length;
}
