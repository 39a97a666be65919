import type { Size } from "../resize.ts";
import { BACKGROUND } from "../classes/declared.ts";
import { DataError } from "../data-error.ts";
import type { Canvas } from "../shapes/canvas.ts";

/** What a labelling tool says of one photo: shapes, each painted over those before it. */
export interface PhotoAnnotation {
  /** The photo as the tool names it: a file name, a path or a URL. */
  readonly photo: string;
  /** The photo's size as the tool knew it, in pixels, where it tells. */
  readonly size: Size | null;
  readonly shapes: readonly LabelledShape[];
  /** What the tool calls the part of the data set that it puts the photo in, where it has parts. */
  readonly subset?: string;
  /** Names the annotation in messages: a file, and a place in it. */
  readonly where: string;
}

export interface LabelledShape {
  /** The name of its class; null for pixels that do not count (COCO's crowds). */
  readonly label: string | null;
  /**
   * Paints the shape on a canvas of the photo's size.
   *
   * @throws DataError when it does not fit there
   */
  readonly paint: (canvas: Canvas, value: number) => void;
  /** How many pixels of a photo of some size it covers; of shapes that tell, larger ones are painted first. */
  readonly area?: (size: Size) => number;
}

/** Photos and their shapes as one export of a labelling tool has them. */
export interface AnnotationSet {
  /** The classes that the export declares, in its order; empty where it declares none. */
  readonly labels: readonly string[];
  readonly photos: readonly PhotoAnnotation[];
}

/**
 * The shapes of a photo as classes.
 *
 * @param classOf the class of a label, or the ignore label for null
 * @returns `[height, width]`, that of the background where there is no shape
 * @throws DataError when the tool knew the photo in another size, or a shape does not fit
 */
export function paintAnnotation(
  { size, shapes, where }: PhotoAnnotation,
  photo: Size,
  classOf: (label: string | null) => number,
): Uint8Array {
  if (size !== null && (size.width !== photo.width || size.height !== photo.height)) {
    throw new DataError(
      `${where} is of a photo of ${size.width}×${size.height} pixels, and the photo has ${photo.width}×${photo.height}: ` +
        "label the photo as it is, or give the photo that was labelled.",
    );
  }
  const canvas = { ...photo, pixels: new Uint8Array(photo.width * photo.height).fill(classOf(BACKGROUND)) };
  for (const { label, paint } of inOrder(shapes, photo)) paint(canvas, classOf(label));
  return canvas.pixels;
}

function inOrder(shapes: readonly LabelledShape[], photo: Size): readonly LabelledShape[] {
  if (shapes.length < 2 || shapes.some(({ area }) => area === undefined)) return shapes;
  return shapes
    .map((shape) => ({ shape, area: shape.area!(photo) }))
    .sort((a, b) => b.area - a.area)
    .map(({ shape }) => shape);
}

/**
 * The outline of a polygon, checked.
 *
 * @param points `x0, y0, x1, y1, …`
 * @throws DataError for fewer than three points, half a point, or a coordinate that is no number
 */
export function checkedOutline(points: readonly number[], where: string): readonly number[] {
  if (points.length % 2 === 1) throw new DataError(`${where} has half a point: give each an x and a y.`);
  const wrong = points.find((value) => !Number.isFinite(value));
  if (wrong !== undefined)
    throw new DataError(`${where} has a coordinate that is no number: export it anew.`);
  if (points.length < 6) {
    const count = points.length / 2;
    throw new DataError(
      `${where} has ${count} point${count === 1 ? "" : "s"}: a polygon has three or more; remove it or draw it anew.`,
    );
  }
  return points;
}

/** How far a polygon may reach over the photo's border: tools write points on the border itself, and round. */
const SLACK = 1;

/** @throws DataError when a point is outside the photo by more than a pixel */
export function checkInside(points: readonly number[], { width, height }: Size, where: string): void {
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i], points[i + 1]];
    if (x >= -SLACK && y >= -SLACK && x <= width + SLACK && y <= height + SLACK) continue;
    throw new DataError(
      `${where} has a point at (${x}, ${y}), outside its photo of ${width}×${height} pixels: move it inside, or give the ` +
        "photo that was labelled.",
    );
  }
}
