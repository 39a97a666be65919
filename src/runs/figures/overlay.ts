import { resizeNearest } from "../../data/resize.ts";
import type { Size } from "../../data/resize.ts";
import { sharp } from "../../data/sharp.ts";
import { countClasses } from "../../masks/count-classes.ts";
import { className, classesByFrequency, legend } from "./legend.ts";
import type { LegendEntry } from "./legend.ts";
import { MARGIN, photoDrawing, titleElement } from "./mosaic.ts";
import type { Raster } from "./mosaic.ts";
import { backgroundOf } from "../../masks/background.ts";
import { classColour, paintMask } from "../../masks/palette.ts";
import { renderSvg } from "./render-svg.ts";
import { svgDocument } from "./svg.ts";

export interface OverlayFigureOptions {
  readonly photo: Raster;
  /** `[height, width]` of the photo, the class of each pixel. */
  readonly mask: Uint8Array;
  readonly classNames: readonly string[];
  readonly title?: string;
  /** The most pixels of the picture's longer side; 1600 by default. */
  readonly mostPixels?: number;
}

/** How much of a class's colour shows, inside its area and along its edge. */
const OPACITY = 0.55;
const EDGE_OPACITY = 1;
/** The longer side of the picture: in units of the SVG, and in pixels at most, if nothing else is said, and at least. */
const UNITS = 800;
const MOST_PIXELS = 1600;
const LEAST_PIXELS = 800;
const LEGEND_BESIDE = 210;
const LEGEND_BENEATH = 195;
/** Units; a narrow photo's legend beneath needs some. */
const LEAST_WIDTH = 420;
const ROW = 22;

/**
 * PNG of a photo tinted with the colours of its classes, background left as it is, and a legend with each class's share of
 * the photo: beside a tall photo, beneath a wide one. The picture has the photo's own size, but its longer side has 800 pixels at least
 * and `mostPixels` at most.
 */
export async function overlayFigure({
  photo,
  mask,
  classNames,
  title,
  mostPixels,
}: OverlayFigureOptions): Promise<Buffer> {
  const size = pictureSize(photo, mostPixels);
  const scale = Math.max(size.width, size.height) / UNITS;
  const rgb = await photoDrawing(photo).draw(size);
  const background = backgroundOf(classNames);
  const tinted = tint({ ...size, rgb }, resizeNearest(mask, photo, size), Math.round(scale), background);
  const [width, height] = [size.width / scale, size.height / scale];
  const top = title === undefined ? MARGIN : 52;
  const entries = legendEntries(mask, classNames);
  const beside = photo.height > photo.width;
  const rows = Math.max(12, Math.floor(height / ROW));
  const legendWidth = beside
    ? Math.ceil(entries.length / rows) * LEGEND_BESIDE
    : Math.max(width, LEAST_WIDTH);
  const place = beside
    ? { x: 2 * MARGIN + width, y: top, width: legendWidth }
    : { x: MARGIN, y: top + height + 16, width: legendWidth };
  const key = legend(entries, place, beside ? LEGEND_BESIDE : LEGEND_BENEATH);
  const figureWidth = Math.ceil(place.x + legendWidth + (beside ? 0 : MARGIN));
  const figureHeight = Math.ceil(Math.max(top + height, place.y + key.height - 9) + MARGIN);
  const frame = await renderSvg(
    svgDocument(figureWidth, figureHeight, [
      ...(title === undefined ? [] : [titleElement(title, figureWidth)]),
      ...key.elements,
    ]),
    scale,
  );
  const raw = { ...size, channels: 3 } as const;
  return sharp(frame)
    .composite([
      { input: Buffer.from(tinted), raw, left: Math.round(MARGIN * scale), top: Math.round(top * scale) },
    ])
    .removeAlpha()
    .png()
    .toBuffer();
}

/** The picture's sides in pixels: the photo's own where they are neither too large nor too small. */
export function pictureSize(size: Size, most = MOST_PIXELS): Size {
  const longer = Math.max(size.width, size.height);
  return longer < LEAST_PIXELS ? scaled(size, Math.ceil(LEAST_PIXELS / longer)) : sizeWithin(size, most);
}

/** A size of the same proportions whose longer side is `most` at most. */
export const sizeWithin = (size: Size, most: number): Size =>
  scaled(size, Math.min(1, most / Math.max(size.width, size.height)));

function scaled({ width, height }: Size, factor: number): Size {
  const side = (length: number): number => Math.max(1, Math.round(length * factor));
  return { width: side(width), height: side(height) };
}

/**
 * A photo's pixels blended with the colours of their classes; pixels beside another class, `edge` wide, more so.
 *
 * @param background the class that is left as it is, if one is; see `backgroundOf`
 */
export function tint(
  { width, height, rgb }: Raster,
  mask: Uint8Array,
  edge: number,
  background: number | null,
): Uint8Array {
  const colours = paintMask(mask);
  const result = new Uint8Array(rgb);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const label = mask[pixel];
      if (label === background) continue;
      const inner =
        (x < edge || mask[pixel - edge] === label) &&
        (x >= width - edge || mask[pixel + edge] === label) &&
        (y < edge || mask[pixel - edge * width] === label) &&
        (y >= height - edge || mask[pixel + edge * width] === label);
      const opacity = inner ? OPACITY : EDGE_OPACITY;
      for (let at = 3 * pixel; at < 3 * pixel + 3; at++) {
        result[at] = Math.round(rgb[at] + (colours[at] - rgb[at]) * opacity);
      }
    }
  }
  return result;
}

function legendEntries(mask: Uint8Array, classNames: readonly string[]): LegendEntry[] {
  const counts = countClasses([mask]);
  return classesByFrequency([mask], classNames.length).map((label) => ({
    colour: label === backgroundOf(classNames) ? null : classColour(label),
    label: className(label, classNames),
    value: percent(counts[label] / mask.length),
  }));
}

/** A share in per cent with a digit behind the point. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  if (share < 1 && share >= 0.9995) return "> 99.9 %";
  return `${(100 * share).toFixed(1)} %`;
}
