import { jetKey } from "./jet-key.ts";
import { jetMask } from "./jet.ts";
import {
  BELOW_TITLE,
  GAP,
  MARGIN,
  maskDrawing,
  mosaic,
  photoDrawing,
  SCALE,
  titleElement,
} from "./mosaic.ts";
import type { Column, Picture } from "./mosaic.ts";
import { renderSvg } from "./render-svg.ts";
import { svgDocument } from "./svg.ts";

export interface SamplesFigureOptions {
  /** Of any size and aspect ratio. */
  readonly samples: readonly Picture[];
  readonly classNames: readonly string[];
  readonly title?: string;
}

/** PNG with a column for each sample, its photo above and its mask below, in jet over all classes; and a colour bar. */
export function samplesFigure(options: SamplesFigureOptions): Promise<Buffer> {
  const { samples, classNames, title = "Photos and masks" } = options;
  const named = samples.map((picture) => ({ name: picture.name, picture }));
  return jetFigure({ columns: named, classNames, title, perBand: 5 });
}

export interface JetFigureOptions {
  readonly columns: readonly { readonly name: string; readonly picture: Picture }[];
  readonly classNames: readonly string[];
  readonly title: string;
  readonly perBand: number;
}

/** PNG of named photos and their masks in jet. */
export async function jetFigure({ columns, classNames, title, perBand }: JetFigureOptions): Promise<Buffer> {
  const { elements, width, left, bottom } = await mosaic({
    columns: columns.map(({ name, picture }) => photoAndMask(name, picture, classNames.length)),
    rows: ["Photo", "Mask"],
    perBand,
    top: BELOW_TITLE,
  });
  const masks = columns.map(({ picture }) => picture.mask);
  const key = jetKey(masks, classNames, { x: left, y: bottom + 2 * GAP, width: width - left - MARGIN });
  const height = bottom + 2 * GAP + key.height + MARGIN - GAP;
  return renderSvg(
    svgDocument(width, height, [titleElement(title, width), ...elements, ...key.elements]),
    SCALE,
  );
}

const photoAndMask = (header: string, picture: Picture, classes: number): Column => ({
  header,
  cells: [
    photoDrawing(picture),
    maskDrawing(picture, picture.mask, classes, (mask) => jetMask(mask, classes)),
  ],
});
