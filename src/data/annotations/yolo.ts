import { DataError } from "../data-error.ts";
import type { Size } from "../resize.ts";
import type { Canvas } from "../shapes/canvas.ts";
import { paintOpenCvPolygon } from "../shapes/opencv-polygon.ts";
import { checkedOutline } from "./annotation.ts";
import type { LabelledShape } from "./annotation.ts";

/**
 * The labels of one photo in YOLO's segmentation format (Ultralytics): a line a polygon, `class x1 y1 x2 y2 …`, coordinates as
 * shares of width and height. Polygons of more pixels are painted before those of fewer, as Ultralytics does
 * (`polygons2masks_overlap`), and filled as OpenCV does.
 *
 * @param names of the classes, from `data.yaml`
 * @throws DataError that names the line when it is none, is a box, is outside the photo or of an unknown class
 */
export function readYoloLabels(text: string, file: string, names: readonly string[]): LabelledShape[] {
  return text.split(/\r\n|\n|\r/).flatMap((line, row) => {
    const words = line.trim().split(/\s+/);
    if (words[0] === "") return [];
    const where = `${file}, line ${row + 1},`;
    const [label, ...points] = words.map(Number);
    if (words.some((_, i) => !Number.isFinite(i === 0 ? label : points[i - 1]))) {
      throw new DataError(
        `${where} is ${JSON.stringify(line.slice(0, 60))}: write a class number and the points of a polygon.`,
      );
    }
    if (!(Number.isInteger(label) && label >= 0 && label < names.length)) {
      throw new DataError(
        `${where} has class ${label}, and data.yaml names ${names.length} classes: use 0 to ${names.length - 1}.`,
      );
    }
    if (points.length === 4) {
      throw new DataError(`${where} is a box, not an outline: export the labels as segments (polygons).`);
    }
    const outline = checkedOutline(points, where);
    const outside = points.find((share) => share < -SLACK || share > 1 + SLACK);
    if (outside !== undefined) {
      throw new DataError(
        `${where} has the coordinate ${outside}: coordinates are shares of the photo's width and height, 0 to 1.`,
      );
    }
    return [shapeOf(names[label], outline)];
  });
}

function shapeOf(label: string, outline: readonly number[]): LabelledShape {
  const paint = (canvas: Canvas, value: number): void => {
    const { width, height } = canvas;
    paintOpenCvPolygon(
      canvas,
      outline.map((share, i) => Math.fround(share) * (i % 2 === 0 ? width : height)),
      value,
    );
  };
  const area = (size: Size): number => {
    const pixels = new Uint8Array(size.width * size.height);
    paint({ ...size, pixels }, 1);
    return pixels.reduce((sum, value) => sum + value, 0);
  };
  return { label, paint, area };
}

/** How far a point may be outside its photo, as a share of its side: tools round, and Ultralytics bears as much. */
const SLACK = 0.01;
