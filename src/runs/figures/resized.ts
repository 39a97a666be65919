import { jetKey } from "./jet-key.ts";
import { jetMask } from "./jet.ts";
import {
  BELOW_TITLE,
  fitInside,
  GAP,
  MARGIN,
  drawingElement,
  maskDrawing,
  photoDrawing,
  SCALE,
  titleElement,
  WIDTH,
} from "./mosaic.ts";
import type { Box, Picture } from "./mosaic.ts";
import { renderSvg } from "./render-svg.ts";
import { MUTED, shorten, svgDocument, text } from "./svg.ts";

export interface ResizedFigureOptions {
  /** As they were decoded, of any size and aspect ratio. */
  readonly before: readonly Picture[];
  /** The same samples as the network sees them. */
  readonly after: readonly Picture[];
  readonly classNames: readonly string[];
  readonly title?: string;
}

const NAME = 22;
const SIZE = 24;
/** Between what was and what became of it. */
const ARROW = 44;
const TALLEST = 260;

/** PNG with a row for each sample: photo and mask before and after resizing, in their aspect ratios, with their sizes. */
export async function resizedFigure(options: ResizedFigureOptions): Promise<Buffer> {
  const { before, after, classNames, title = "Photos and masks before and after resizing" } = options;
  // As high as lets four pictures of the widest sample stand beside each other; a wide one gets no wider than a square.
  const share = (pictures: readonly Picture[]): number =>
    Math.max(0.4, ...pictures.map(({ width, height }) => Math.min(1, width / height)));
  const [wide, wideAfter] = [share(before), share(after)];
  const room = WIDTH - 2 * MARGIN - 2 * GAP - ARROW;
  const high = Math.floor(Math.min(TALLEST, room / (2 * wide + 2 * wideAfter)));
  const [first, second] = [Math.floor(wide * high), Math.floor(wideAfter * high)];
  const resultLeft = MARGIN + 2 * first + GAP + ARROW;
  const width = resultLeft + 2 * second + GAP + MARGIN;
  const pitch = NAME + high + SIZE + GAP;
  const rows = await Promise.all(
    before.map(async (picture, row) => {
      const y = BELOW_TITLE + row * pitch + NAME;
      const middle = y + high / 2;
      const from = { x: MARGIN, y, width: first, height: high };
      const to = { x: resultLeft, y, width: second, height: high };
      const letters = Math.floor((width - 2 * MARGIN) / 7.5);
      return [
        text(shorten(picture.name, letters), MARGIN, y - 8, { colour: MUTED }),
        ...(await pair(picture, from, classNames.length)),
        arrow(resultLeft - ARROW + 8, resultLeft - 8, middle),
        ...(await pair(after[row], to, classNames.length)),
      ];
    }),
  );
  const masks = [...before, ...after].map(({ mask }) => mask);
  const bottom = BELOW_TITLE + before.length * pitch;
  const key = jetKey(masks, classNames, { x: MARGIN, y: bottom + GAP, width: width - 2 * MARGIN });
  return renderSvg(
    svgDocument(width, bottom + key.height + MARGIN, [
      titleElement(title, width),
      ...rows.flat(),
      ...key.elements,
    ]),
    SCALE,
  );
}

/** A photo in `box`, its mask right of it, and their size beneath. */
async function pair(picture: Picture, box: Box, classes: number): Promise<string[]> {
  const photo = fitInside(picture, box);
  const mask = { ...photo, x: photo.x + box.width + GAP };
  const size = `${picture.width} × ${picture.height}`;
  return [
    await drawingElement(photoDrawing(picture), photo),
    await drawingElement(
      maskDrawing(picture, picture.mask, classes, (labels) => jetMask(labels, classes)),
      mask,
    ),
    ...[photo, mask].map(({ x, width }) =>
      text(size, x + width / 2, box.y + box.height + 17, { anchor: "middle" }),
    ),
  ];
}

const arrow = (from: number, to: number, y: number): string =>
  `<path d="M${from} ${y}H${to}m-7 -6l7 6l-7 6" fill="none" stroke="${MUTED}" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>`;
