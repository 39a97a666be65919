import { backgroundOf } from "../masks/background.ts";
import { classShares } from "../masks/class-shares.ts";
import { outlinesOf } from "../masks/outlines.ts";
import type { Ring } from "../masks/outlines.ts";
import type { Size } from "../data/resize.ts";
import { runLengthsOf, runLengthText } from "../masks/run-lengths.ts";

/** The labels of a photo. */
export interface LabelledPhoto {
  readonly width: number;
  readonly height: number;
  readonly mask: Uint8Array;
}

/** A feature collection of GeoJSON. */
export interface GeoJson {
  readonly type: "FeatureCollection";
  readonly features: readonly {
    readonly type: "Feature";
    readonly properties: { readonly id: number; readonly name: string; readonly pixels: number };
    readonly geometry: { readonly type: "MultiPolygon"; readonly coordinates: readonly (readonly Ring[])[] };
  }[];
}

/**
 * The areas of a mask as GeoJSON (RFC 7946): a feature with a MultiPolygon for each class but the background, the largest first.
 * Coordinates are pixels, x to the right and y down from the upper left corner of the photo.
 */
export function geoJson({ width, mask }: LabelledPhoto, classNames: readonly string[]): GeoJson {
  const outlines = outlinesOf(mask, width);
  const features = foreground(mask, classNames).map(({ id, name, pixels }) => ({
    type: "Feature" as const,
    properties: { id, name, pixels },
    geometry: {
      type: "MultiPolygon" as const,
      coordinates: outlines.filter(({ label }) => label === id).map(({ rings }) => rings),
    },
  }));
  return { type: "FeatureCollection", features };
}

/** A box around pixels: the corner, width and height. */
type Box = readonly [x: number, y: number, width: number, height: number];

/** An annotation of COCO, without the numbers that it gets among the others of a file. */
export interface CocoArea {
  readonly category_id: number;
  readonly iscrowd: 0;
  readonly area: number;
  readonly bbox: Box;
  readonly segmentation: { readonly size: readonly [number, number]; readonly counts: string };
}

/** The areas of a photo for a file of COCO: one for each class but the background. */
export const cocoAreas = (
  { width, height, mask }: LabelledPhoto,
  classNames: readonly string[],
): CocoArea[] =>
  foreground(mask, classNames).map(({ id, pixels }) => ({
    category_id: id,
    // As COCO-Stuff has it: all areas of a class are one annotation, and none is a crowd, whose pixels would not count.
    iscrowd: 0,
    area: pixels,
    bbox: boxOf(mask, width, id),
    segmentation: { size: [height, width], counts: runLengthText(runLengthsOf(mask, width, id)) },
  }));

/** The labels of many photos as a file of COCO: an annotation for each class but the background of each photo. */
export class CocoFile {
  readonly #classNames: readonly string[];
  readonly #images: object[] = [];
  readonly #annotations: object[] = [];

  constructor(classNames: readonly string[]) {
    this.#classNames = classNames;
  }

  /** Whether no photo has been added. */
  get isEmpty(): boolean {
    return this.#images.length === 0;
  }

  /** Adds a photo, under the name that it is to be called by. */
  add(name: string, { width, height }: Size, areas: readonly CocoArea[]): void {
    const image = this.#images.length + 1;
    this.#images.push({ id: image, file_name: name, width, height });
    for (const area of areas)
      this.#annotations.push({ id: this.#annotations.length + 1, image_id: image, ...area });
  }

  toJSON(): object {
    const background = backgroundOf(this.#classNames);
    const categories = this.#classNames
      .map((name, id) => ({ id, name }))
      .filter(({ id }) => id !== background);
    return { images: this.#images, categories, annotations: this.#annotations };
  }
}

const foreground = (mask: Uint8Array, classNames: readonly string[]): ReturnType<typeof classShares> =>
  classShares(mask, classNames).filter(({ id }) => id !== backgroundOf(classNames));

function boxOf(mask: Uint8Array, width: number, label: number): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  mask.forEach((own, pixel) => {
    if (own !== label) return;
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x), Math.max(bottom, y)];
  });
  return [left, top, right + 1 - left, bottom + 1 - top];
}
