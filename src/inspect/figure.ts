import { basename, resolve } from "node:path";
import { decodePair } from "../data/decode.ts";
import type { FolderDataset } from "../data/folder-dataset.ts";
import { backgroundOf } from "../masks/background.ts";
import { classColour } from "../masks/palette.ts";
import {
  BELOW_TITLE,
  GAP,
  MARGIN,
  mosaic,
  photoDrawing,
  SCALE,
  titleElement,
  WIDTH,
} from "../runs/figures/mosaic.ts";
import type { Column } from "../runs/figures/mosaic.ts";
import { percent, tint } from "../runs/figures/overlay.ts";
import { renderSvg } from "../runs/figures/render-svg.ts";
import { MUTED, shorten, svgDocument, text } from "../runs/figures/svg.ts";
import { resizeNearest } from "../data/resize.ts";
import type { ClassReport, DataReport } from "./data-report.ts";

/** Photos shown, in two bands. */
const SAMPLES = 8;
const ROW = 18;
/** Classes with a bar of their own; the picture would grow without end. */
const MOST_BARS = 80;
const NAME = 150;
const FIGURES = 190;

/** PNG of some photos tinted with the colours of their classes, and of a bar for each class: its share of the pixels that count. */
export async function dataFigure(
  report: DataReport,
  dataset: FolderDataset,
  usable: readonly number[],
  lossyMasks: boolean,
): Promise<Buffer> {
  const indices = spread(usable, SAMPLES);
  const columns = await Promise.all(indices.map((index) => sampleColumn(dataset, index, lossyMasks)));
  const title = `${basename(resolve(report.path))}: ${report.photos} photos, ${report.classes.length} classes`;
  const { elements, bottom } = await mosaic({ columns, rows: ["Photo"], perBand: 4, top: BELOW_TITLE });
  const bars = barsOf(report.classes, bottom + 3 * GAP);
  return renderSvg(
    svgDocument(WIDTH, bars.bottom + MARGIN, [titleElement(title, WIDTH), ...elements, ...bars.elements]),
    SCALE,
  );
}

async function sampleColumn(dataset: FolderDataset, index: number, lossyMasks: boolean): Promise<Column> {
  const pair = dataset.pairs[index];
  const { photo, mask } = await decodePair(pair, { labelling: dataset.labelling, lossyMasks });
  const raster = { width: photo.width, height: photo.height, rgb: photo.pixels };
  const drawing = photoDrawing(raster);
  return {
    header: pair.name,
    cells: [
      {
        ...drawing,
        draw: async (size) =>
          tint(
            { ...size, rgb: await drawing.draw(size) },
            resizeNearest(mask.labels, raster, size),
            SCALE,
            backgroundOf(dataset.classNames),
          ),
      },
    ],
  };
}

/** As many of the numbers as asked for, from all over. */
const spread = (numbers: readonly number[], count: number): number[] =>
  Array.from(
    { length: Math.min(count, numbers.length) },
    (_, i) => numbers[Math.floor((i * numbers.length) / Math.min(count, numbers.length))],
  );

function barsOf(classes: readonly ClassReport[], top: number): { elements: string[]; bottom: number } {
  const background = backgroundOf(classes.map(({ name }) => name));
  const sorted = [...classes].sort((a, b) => b.pixels - a.pixels || a.label - b.label);
  const shown = sorted.slice(0, MOST_BARS);
  const room = WIDTH - 2 * MARGIN - NAME - FIGURES;
  const longest = Math.max(...shown.map(({ share }) => share), 1e-9);
  const elements = shown.flatMap(({ label, name, share, photos }, i) => {
    const y = top + i * ROW;
    // A square root: of shares from a thousandth to the half each still shows.
    const width = Math.max(share > 0 ? 1 : 0, room * Math.sqrt(share / longest));
    return [
      text(shorten(name, 20), MARGIN + NAME - 8, y + 13, { anchor: "end", size: 12 }),
      `<rect x="${MARGIN + NAME}" y="${y + 3}" width="${width}" height="${ROW - 6}" fill="${label === background ? "#c3cad3" : classColour(label)}" stroke="#00000033" stroke-width="0.5"/>`,
      text(
        `${percent(share)} · ${photos} photo${photos === 1 ? "" : "s"}`,
        MARGIN + NAME + width + 8,
        y + 13,
        { size: 12, colour: MUTED },
      ),
    ];
  });
  const bottom = top + shown.length * ROW;
  const note = `Bars are square roots of the shares of the pixels.${
    sorted.length > shown.length ? ` ${sorted.length - shown.length} rarer classes are not shown.` : ""
  }`;
  return {
    elements: [...elements, text(note, MARGIN, bottom + 18, { size: 12, colour: MUTED })],
    bottom: bottom + 22,
  };
}
