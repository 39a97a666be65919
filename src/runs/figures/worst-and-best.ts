import type { Size } from "../../data/resize.ts";
import { classColour, paintMask } from "../../masks/palette.ts";
import { errorDrawing, errorEntries } from "./error-map.ts";
import { className, classesByFrequency, legend, notCountedEntries } from "./legend.ts";
import { GAP, MARGIN, maskDrawing, mosaic, photoDrawing, SCALE, titleElement, WIDTH } from "./mosaic.ts";
import type { Column, Raster } from "./mosaic.ts";
import { LINE, paragraph } from "./paragraph.ts";
import { renderSvg } from "./render-svg.ts";
import { MUTED, svgDocument, text } from "./svg.ts";

/** A photo, what is in it and what the network said. */
export interface JudgedPicture {
  readonly name: string;
  readonly photo: Raster;
  /** Of both masks. */
  readonly size: Size;
  /** `[height, width]` of the masks, the class of each pixel; `IGNORE` in `truth` where it does not count, unless that is a class. */
  readonly truth: Uint8Array;
  readonly prediction: Uint8Array;
  readonly meanIou: number;
  readonly accuracy: number;
}

export interface WorstAndBestOptions {
  /** The lowest mean IoU first. */
  readonly worst: readonly JudgedPicture[];
  /** The highest first. */
  readonly best: readonly JudgedPicture[];
  readonly classNames: readonly string[];
  readonly title?: string;
}

const RANKING =
  "Ranked by each photo’s own mean IoU, over the classes in its truth. Pixel accuracy would mostly tell how much of a photo is background.";
const ACROSS = 4;
const HEADING = 26;

/**
 * PNG of the photos that were labelled worst and of those labelled best: photo, truth, prediction and where it errs, with each photo's own
 * mean IoU and pixel accuracy. They are ranked by mean IoU, in which a small class counts as much as the background: by accuracy
 * the best photos would be those with little in them.
 */
export async function worstAndBestFigure(options: WorstAndBestOptions): Promise<Buffer> {
  const { worst, best, classNames, title = "The worst and the best validation photos" } = options;
  const classes = classNames.length;
  const caption = paragraph(
    RANKING,
    { x: MARGIN, y: 60, letters: Math.floor((WIDTH - 2 * MARGIN) / 6.6) },
    { colour: MUTED },
  );
  const elements: string[] = [titleElement(title, WIDTH), ...caption];
  let top = 60 + caption.length * LINE;
  for (const [heading, pictures] of [
    ["Worst", worst],
    ["Best", best],
  ] as const) {
    if (pictures.length === 0) continue;
    elements.push(text(heading, MARGIN, top + 8, { size: 15, bold: true }));
    const part = await mosaic({
      columns: pictures.map((picture) => column(picture, classes)),
      rows: ["Photo", "Truth", "Prediction", "Errors"],
      perBand: ACROSS,
      top: top + HEADING - GAP,
    });
    elements.push(...part.elements);
    top = part.bottom + 3 * GAP;
  }
  const pictures = [...worst, ...best];
  const truths = pictures.map(({ truth }) => truth);
  const masks = [...truths, ...pictures.map(({ prediction }) => prediction)];
  const keys = [
    ["Errors", errorEntries(truths, classes)],
    [
      "Classes",
      [
        ...classesByFrequency(masks, classes).map((label) => ({
          colour: classColour(label),
          label: className(label, classNames),
        })),
        ...notCountedEntries(masks, classes),
      ],
    ],
  ] as const;
  for (const [name, entries] of keys) {
    elements.push(text(name, MARGIN, top + 11, { bold: true }));
    const left = MARGIN + 70;
    const key = legend(entries, { x: left, y: top, width: WIDTH - left - MARGIN }, 125);
    elements.push(...key.elements);
    top += key.height + GAP;
  }
  return renderSvg(svgDocument(WIDTH, top + MARGIN - GAP, elements), SCALE);
}

function column(picture: JudgedPicture, classes: number): Column {
  const { name, photo, size, truth, prediction, meanIou, accuracy } = picture;
  return {
    header: name,
    cells: [
      photoDrawing(photo),
      maskDrawing(size, truth, classes, paintMask),
      maskDrawing(size, prediction, classes, paintMask),
      errorDrawing(size, truth, prediction, classes),
    ],
    footer: `mIoU ${meanIou.toFixed(3)}, acc. ${accuracy.toFixed(3)}`,
  };
}
