import type { Sample } from "../../data/dataset.ts";
import { resizeNearest } from "../../data/resize.ts";
import type { Size } from "../../data/resize.ts";
import { sharp } from "../../data/sharp.ts";
import { hatchIgnored } from "./not-counted.ts";
import { MUTED, shorten, text } from "./svg.ts";

/** Pixels of three bytes each, row by row: `rgb` is `[height, width, 3]`. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** A photo and its mask. */
export interface Picture extends Raster {
  readonly name: string;
  /** `[height, width]`, the class of each pixel; `IGNORE` where it does not count, unless that is a class. */
  readonly mask: Uint8Array;
}

/** A sample of a data set; its photo is clipped to 0…1. */
export interface NamedSample extends Sample {
  readonly name: string;
}

/** The picture of a sample. */
export const pictureOf = ({ name, width, height, image, mask }: NamedSample): Picture => ({
  name,
  width,
  height,
  rgb: photoBytes(image),
  mask,
});

/** RGB in 0…1, clipped, as bytes. */
export const photoBytes = (image: Float32Array): Uint8Array =>
  Uint8Array.from(image, (value) => Math.round(Math.min(1, Math.max(0, value)) * 255));

/** Pixels of the PNG a unit of the SVG. */
export const SCALE = 2;
/** Units; about what a page of documentation is wide, so that letters of 13 units are 13 pixels high there. */
export const WIDTH = 830;
export const MARGIN = 20;
export const GAP = 10;

/** A rectangle in units of the SVG. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The largest rectangle with the sides' ratio of `width` to `height` in the middle of `box`, on whole pixels. */
export function fitInside({ width, height }: Size, box: Box): Box {
  const ratio = Math.min(box.width / width, box.height / height);
  const side = (length: number): number => Math.max(1, Math.round(length * ratio * SCALE)) / SCALE;
  const middle = (start: number, room: number): number => Math.round((start + room / 2) * SCALE) / SCALE;
  return {
    x: middle(box.x, box.width - side(width)),
    y: middle(box.y, box.height - side(height)),
    width: side(width),
    height: side(height),
  };
}

/** What fills a cell, drawn in the pixels of the PNG, so that the renderer has nothing to resample. */
export interface Drawing extends Size {
  /** RGB in another size, `[height, width, 3]`. */
  draw(size: Size): Uint8Array | Promise<Uint8Array>;
}

/** A photo, resized smoothly. */
export const photoDrawing = ({ width, height, rgb }: Raster): Drawing => ({
  width,
  height,
  draw: (size) =>
    sharp(rgb, { raw: { width, height, channels: 3 } })
      .resize(size.width, size.height, { fit: "fill", kernel: "lanczos3" })
      .raw()
      .toBuffer(),
});

/** A mask `[height, width]` painted with hard edges and no colours but its classes'; pixels that do not count are hatched. */
export const maskDrawing = (
  { width, height }: Size,
  mask: Uint8Array,
  classes: number,
  paint: (mask: Uint8Array) => Uint8Array,
): Drawing => ({
  width,
  height,
  draw(size) {
    const resized = resizeNearest(mask, { width, height }, size);
    return hatchIgnored(paint(resized), resized, size.width, classes);
  },
});

/** SVG of a drawing that fills `box`, which lies on whole pixels of the PNG. */
export async function drawingElement(drawing: Drawing, box: Box): Promise<string> {
  const size = { width: box.width * SCALE, height: box.height * SCALE };
  const png = await sharp(await drawing.draw(size), { raw: { ...size, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const data = `data:image/png;base64,${png.toString("base64")}`;
  return `<image x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" image-rendering="optimizeSpeed" href="${data}"/>`;
}

export interface Column {
  readonly header: string;
  /** One below the other. */
  readonly cells: readonly Drawing[];
  readonly footer?: string;
}

export interface MosaicOptions {
  readonly columns: readonly Column[];
  /** What the cells of each row show. */
  readonly rows: readonly string[];
  /** The most columns beside each other; the others come in further bands below. */
  readonly perBand: number;
  /** Where the mosaic starts, in units from the figure's top. */
  readonly top: number;
}

export interface Mosaic {
  readonly elements: readonly string[];
  /** Units; the figure's, margins included. */
  readonly width: number;
  /** Where the cells start. */
  readonly left: number;
  /** Where the mosaic ends. */
  readonly bottom: number;
}

const ROW_LABELS = 26;
const HEADER = 24;
const FOOTER = 22;
const LARGEST_CELL = 240;
/** Width of a figure with a column or two: its title and legend need some. */
const LEAST_WIDTH = 520;

/** Cells in columns with a name above each, as wide as a figure may be. */
export async function mosaic({ columns, rows, perBand, top }: MosaicOptions): Promise<Mosaic> {
  const bands = Math.max(1, Math.ceil(columns.length / perBand));
  const across = Math.max(1, Math.ceil(columns.length / bands));
  const left = MARGIN + ROW_LABELS;
  const room = (WIDTH - left - MARGIN - (across - 1) * GAP) / across;
  const side = Math.min(LARGEST_CELL, Math.floor(room));
  const ratios = columns.flatMap(({ cells }) => cells.map(({ width, height }) => height / width));
  const tallest = Math.max(...ratios, 0.5);
  const cellHeight = Math.round(side * Math.min(1.6, tallest));
  const footer = columns.some((column) => column.footer !== undefined) ? FOOTER : 0;
  const bandHeight = HEADER + rows.length * (cellHeight + GAP) - GAP + footer;
  const bandTop = (band: number): number => top + band * (bandHeight + 2 * GAP);
  const cellTop = (band: number, row: number): number => bandTop(band) + HEADER + row * (cellHeight + GAP);
  const labels = Array.from({ length: bands }, (_, band) =>
    rows.map((label, row) => upright(label, MARGIN + 12, cellTop(band, row) + cellHeight / 2)),
  );
  const drawn = await Promise.all(
    columns.map(async ({ header, cells, footer: below }, i) => {
      const band = Math.floor(i / across);
      const x = left + (i % across) * (side + GAP);
      const style = { anchor: "middle", colour: MUTED } as const;
      const letters = Math.floor(side / 7.5);
      const pictures = cells.map((drawing, row) => {
        const box = { x, y: cellTop(band, row), width: side, height: cellHeight };
        return drawingElement(drawing, fitInside(drawing, box));
      });
      return [
        text(shorten(header, letters), x + side / 2, bandTop(band) + HEADER - 9, style),
        ...(await Promise.all(pictures)),
        ...(below === undefined
          ? []
          : [
              text(
                shorten(below, letters),
                x + side / 2,
                cellTop(band, rows.length) - GAP + FOOTER - 5,
                style,
              ),
            ]),
      ];
    }),
  );
  return {
    elements: [...labels.flat(), ...drawn.flat()],
    width: Math.max(LEAST_WIDTH, left + across * (side + GAP) - GAP + MARGIN),
    left,
    bottom: bandTop(bands - 1) + bandHeight,
  };
}

/** Where what comes below a title starts. */
export const BELOW_TITLE = 52;

/** A figure's title, shortened to its width. */
export const titleElement = (title: string, width: number): string =>
  text(shorten(title, Math.floor((width - 2 * MARGIN) / 10)), MARGIN, 36, { size: 18, bold: true });

/** Text that reads upwards around (x, y). */
const upright = (label: string, x: number, y: number): string =>
  `<g transform="rotate(-90 ${x} ${y})">${text(label, x, y, { bold: true, anchor: "middle" })}</g>`;
