import { SaxesParser } from "saxes";
import type { SaxesTagPlain } from "saxes";
import { DataError } from "../data-error.ts";
import { messageOf } from "../../message-of.ts";
import type { Canvas } from "../shapes/canvas.ts";
import { paintCocoPolygon } from "../shapes/coco-polygon.ts";
import { checkedOutline, checkInside } from "./annotation.ts";
import type { AnnotationSet, LabelledShape, PhotoAnnotation } from "./annotation.ts";

type Attributes = Readonly<Record<string, string>>;
type OrderedShape = LabelledShape & { readonly order: number };

/**
 * "CVAT for images 1.1": polygons, boxes and masks of each photo, those of a larger z-order over the others. Polygons are
 * filled by pycocotools's rule, as CVAT's own exports of masks do.
 *
 * @throws DataError that names the line when the file is no XML, or an element cannot be filled
 */
export function readCvat(text: string, file: string): AnnotationSet {
  const labels: string[] = [];
  const photos: PhotoAnnotation[] = [];
  let image: (Omit<PhotoAnnotation, "shapes"> & { readonly shapes: OrderedShape[] }) | null = null;
  const path: string[] = [];
  let name = "";
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw new DataError(`${file} is not XML (${messageOf(error)}): export it anew.`);
  });
  parser.on("opentag", ({ name: tag, attributes }: SaxesTagPlain) => {
    path.push(tag);
    const where = `${file}, line ${parser.line},`;
    if (tag === "image") image = openImage(attributes, where);
    else if (image !== null && path.at(-2) === "image") image.shapes.push(shapeOf(tag, attributes, where));
    name = "";
  });
  parser.on("text", (piece) => {
    name += piece;
  });
  parser.on("closetag", ({ name: tag }) => {
    if (path.slice(-3).join("/") === "labels/label/name" && !labels.includes(name.trim()))
      labels.push(name.trim());
    if (tag === "image" && image !== null) {
      photos.push({ ...image, shapes: image.shapes.sort((a, b) => a.order - b.order) });
      image = null;
    }
    path.pop();
  });
  parser.write(text).close();
  return { labels, photos };
}

function openImage(
  attributes: Attributes,
  where: string,
): Omit<PhotoAnnotation, "shapes"> & { shapes: OrderedShape[] } {
  const [width, height] = [attributes.width, attributes.height].map(Number);
  if (attributes.name === undefined)
    throw new DataError(`${where} has an image without a name: export it anew.`);
  const size = Number.isInteger(width) && Number.isInteger(height) ? { width, height } : null;
  const { name: photo, subset } = attributes;
  return { photo, size, where, ...(subset && { subset }), shapes: [] };
}

function shapeOf(tag: string, attributes: Attributes, where: string): OrderedShape {
  const { label = "", z_order = "0" } = attributes;
  const named = `${where} ${tag} ${JSON.stringify(label)},`;
  if (label === "") throw new DataError(`${where} has a ${tag} without a label: export it anew.`);
  return { label, order: Number(z_order), paint: painter(tag, attributes, named) };
}

function painter(tag: string, attributes: Attributes, where: string): LabelledShape["paint"] {
  const numbers = (text = ""): number[] =>
    text.split(/[;,]/).map((word) => (word.trim() === "" ? NaN : Number(word)));
  if (tag === "polygon") {
    const outline = checkedOutline(numbers(attributes.points), where);
    return (canvas, value) => paintChecked(canvas, outline, value, where);
  }
  if (tag === "box") {
    const { xtl, ytl, xbr, ybr } = attributes;
    const [left, top, right, bottom] = [xtl, ytl, xbr, ybr].map(Number);
    const outline = checkedOutline([left, top, right, top, right, bottom, left, bottom], where);
    return (canvas, value) => paintChecked(canvas, outline, value, where);
  }
  if (tag === "mask") {
    const [left, top, width, height] = [
      attributes.left,
      attributes.top,
      attributes.width,
      attributes.height,
    ].map(Number);
    const counts = numbers(attributes.rle);
    const sum = counts.reduce((total, count) => total + count, 0);
    if (sum !== width * height) {
      throw new DataError(
        `${where} has run lengths of ${sum} pixels for ${width}×${height}: export it anew.`,
      );
    }
    return (canvas, value) => {
      checkInside([left, top, left + width, top + height], canvas, where);
      paintRows(canvas, { left, top, width }, counts, value);
    };
  }
  throw new DataError(`${where} cannot be learned from: draw polygons, masks or boxes.`);
}

function paintChecked(canvas: Canvas, outline: readonly number[], value: number, where: string): void {
  checkInside(outline, canvas, where);
  paintCocoPolygon(canvas, outline, value);
}

/** Paints the ones of run lengths that go along the rows of a rectangle. */
function paintRows(
  { width: canvasWidth, height: canvasHeight, pixels }: Canvas,
  { left, top, width }: { readonly left: number; readonly top: number; readonly width: number },
  counts: readonly number[],
  value: number,
): void {
  let at = 0;
  counts.forEach((count, run) => {
    for (let i = at; run % 2 === 1 && i < at + count; i++) {
      const [x, y] = [left + (i % width), top + Math.floor(i / width)];
      if (x < canvasWidth && y < canvasHeight) pixels[y * canvasWidth + x] = value;
    }
    at += count;
  });
}
