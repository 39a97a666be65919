import { resizeNearest } from "../../data/resize.ts";
import type { Size } from "../../data/resize.ts";
import { setDensity } from "../../data/png/density.ts";
import { sharp } from "../../data/sharp.ts";
import { countClasses } from "../../masks/count-classes.ts";
import { byFrequency, className, legend } from "./legend.ts";
import type { LegendEntry } from "./legend.ts";
import { MARGIN, photoDrawing, titleElement } from "./mosaic.ts";
import type { Raster } from "./mosaic.ts";
import { backgroundOf } from "../../masks/background.ts";
import { classColour } from "../../masks/palette.ts";
import { pixelsOfSvg } from "./pixels-of-svg.ts";
import { renderSvgPixels } from "./render-svg.ts";
import { svgDocument } from "./svg.ts";

export interface OverlayFigureOptions {
  readonly photo: Raster;
  /** `[height, width]` of the photo, the class of each pixel. */
  readonly mask: Uint8Array;
  readonly classNames: readonly string[];
  readonly title?: string;
  /** The most pixels of the picture's longer side; 1600 by default. */
  readonly mostPixels?: number;
  /** The pixels of each class in the mask, where they have been counted. */
  readonly counts?: Float64Array;
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
  counts = countClasses([mask]),
}: OverlayFigureOptions): Promise<Buffer> {
  const size = pictureSize(photo, mostPixels);
  const scale = Math.max(size.width, size.height) / UNITS;
  const rgb = await photoDrawing(photo).draw(size);
  const [width, height] = [size.width / scale, size.height / scale];
  const top = title === undefined ? MARGIN : 52;
  const entries = legendEntries(counts, classNames);
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
  const keyEnd = place.y + key.height - 9 + MARGIN;
  const figureHeight = Math.ceil(Math.max(top + height + MARGIN, keyEnd));
  const frame = whiteFrame(pixelsOfSvg(figureWidth, scale), pixelsOfSvg(figureHeight, scale));
  // All around the picture is white but there, and what is white need not be drawn.
  const [left, above] =
    title !== undefined
      ? [0, 0]
      : beside
        ? [Math.floor((place.x - MARGIN / 2) * scale), 0]
        : [0, Math.floor((place.y - MARGIN / 2) * scale)];
  const drawn = await renderSvgPixels(
    svgDocument(figureWidth, figureHeight, [
      ...(title === undefined ? [] : [titleElement(title, figureWidth)]),
      ...key.elements,
    ]),
    scale,
    { left, top: above, right: frame.width, bottom: Math.min(Math.ceil(keyEnd * scale), frame.height) },
  );
  for (let y = 0; y < drawn.height; y++) {
    const line = drawn.rgb.subarray(3 * y * drawn.width, 3 * (y + 1) * drawn.width);
    frame.rgb.set(line, 3 * ((above + y) * frame.width + left));
  }
  const picture = { left: Math.round(MARGIN * scale), top: Math.round(top * scale) };
  tintInto(frame, picture, {
    ...{ photo: { ...size, rgb }, mask: resizeNearest(mask, photo, size) },
    ...{ edge: Math.round(scale), background: backgroundOf(classNames) },
  });
  const png = await sharp(frame.rgb, { raw: { width: frame.width, height: frame.height, channels: 3 } })
    // Twice as quick as what is usual, for a quarter more bytes: of a photo there is little to squeeze.
    .png({ compressionLevel: 1 })
    .toBuffer();
  // As what is drawn as an SVG has it.
  setDensity(png, 72);
  return png;
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

/** How a photo is tinted. */
interface Tinting {
  readonly photo: Raster;
  /** `[height, width]` of the photo. */
  readonly mask: Uint8Array;
  readonly edge: number;
  readonly background: number | null;
}

/**
 * A photo's pixels blended with the colours of their classes; pixels beside another class, `edge` wide, more so.
 *
 * @param background the class that is left as it is, if one is; see `backgroundOf`
 */
export function tint(photo: Raster, mask: Uint8Array, edge: number, background: number | null): Uint8Array {
  const frame = { width: photo.width, height: photo.height, rgb: new Uint8Array(photo.rgb.length) };
  tintInto(frame, { left: 0, top: 0 }, { photo, mask, edge, background });
  return frame.rgb;
}

/** As {@link tint}, into a place of a picture. */
function tintInto(
  frame: Raster,
  { left, top }: { left: number; top: number },
  { photo: { width, height, rgb }, mask, edge, background }: Tinting,
): void {
  const blends: (Blend | undefined)[] = [];
  for (let y = 0; y < height; y++) {
    const line = y * width;
    const into = 3 * ((top + y) * frame.width + left);
    frame.rgb.set(rgb.subarray(3 * line, 3 * (line + width)), into);
    // Beyond the picture's own edges it goes on as it is.
    const up = y < edge ? 0 : -edge * width;
    const down = y >= height - edge ? 0 : edge * width;
    // In runs, for neighbours are mostly of one class.
    for (let begin = 0, end = 0; begin < width; begin = end) {
      const label = mask[line + begin];
      do end++;
      while (end < width && mask[line + end] === label);
      if (label === background) continue;
      const { area, border } = (blends[label] ??= blendWith(classColour(label)));
      for (let x = begin; x < end; x++) {
        const at = line + x;
        const inner =
          mask[at + up] === label &&
          mask[at + down] === label &&
          (x >= begin + edge || x < edge || mask[at - edge] === label) &&
          (x < end - edge || x >= width - edge || mask[at + edge] === label);
        const blend = inner ? area : border;
        const to = into + 3 * x;
        frame.rgb[to] = blend[rgb[3 * at]];
        frame.rgb[to + 1] = blend[256 + rgb[3 * at + 1]];
        frame.rgb[to + 2] = blend[512 + rgb[3 * at + 2]];
      }
    }
  }
}

function whiteFrame(width: number, height: number): Raster {
  return { width, height, rgb: new Uint8Array(3 * width * height).fill(255) };
}

/** What each value of red becomes under a colour, then of green, then of blue: inside an area, and along its edge. */
interface Blend {
  readonly area: Uint8Array;
  readonly border: Uint8Array;
}

/** @param colour `#rrggbb` */
function blendWith(colour: string): Blend {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const table = (opacity: number): Uint8Array =>
    Uint8Array.from({ length: 3 * 256 }, (_, i) => {
      const value = i % 256;
      return Math.round(value + (channels[Math.floor(i / 256)] - value) * opacity);
    });
  return { area: table(OPACITY), border: table(EDGE_OPACITY) };
}

function legendEntries(counts: Float64Array, classNames: readonly string[]): LegendEntry[] {
  const pixels = counts.reduce((sum, count) => sum + count, 0);
  return byFrequency(counts, classNames.length).map((label) => ({
    colour: label === backgroundOf(classNames) ? null : classColour(label),
    label: className(label, classNames),
    value: percent(counts[label] / pixels),
  }));
}

/** A share in per cent with a digit behind the point. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  if (share < 1 && share >= 0.9995) return "> 99.9 %";
  return `${(100 * share).toFixed(1)} %`;
}
