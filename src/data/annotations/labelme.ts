import { z } from "zod";
import { DataError } from "../data-error.ts";
import type { Canvas } from "../shapes/canvas.ts";
import { paintRow } from "../shapes/canvas.ts";
import { paintPillowPolygon } from "../shapes/pillow-polygon.ts";
import { checkedOutline, checkInside } from "./annotation.ts";
import type { LabelledShape, PhotoAnnotation } from "./annotation.ts";
import { checked } from "./foreign.ts";

const schema = z.object({
  imagePath: z.string(),
  imageWidth: z.number().nullish(),
  imageHeight: z.number().nullish(),
  shapes: z.array(
    z.object({
      label: z.string(),
      points: z.array(z.tuple([z.number(), z.number()])),
      shape_type: z.string().nullish(),
    }),
  ),
});

/** The label of pixels that do not count (LabelMe's own examples). */
export const UNCOUNTED = "__ignore__";

/**
 * One photo's file of LabelMe: polygons and rectangles in their order, each over those before, filled as LabelMe fills them
 * (`labelme.utils.shape_to_mask`, which has Pillow do it).
 *
 * @throws DataError that names the shape when it cannot be filled
 */
export function readLabelMe(value: unknown, file: string): PhotoAnnotation {
  const { imagePath, imageWidth, imageHeight, shapes } = checked(schema, value, file, "a file of LabelMe");
  return {
    photo: imagePath.replaceAll("\\", "/"),
    size: imageWidth != null && imageHeight != null ? { width: imageWidth, height: imageHeight } : null,
    where: file,
    shapes: shapes.map(({ label, points, shape_type }, i): LabelledShape => {
      const where = `${file}, shape ${i + 1} (${JSON.stringify(label)}),`;
      return {
        label: label === UNCOUNTED ? null : label,
        paint: painter(shape_type ?? "polygon", points.flat(), where),
      };
    }),
  };
}

function painter(kind: string, points: readonly number[], where: string): LabelledShape["paint"] {
  if (kind === "polygon" || kind === "oriented_rectangle") {
    const outline = checkedOutline(points, where);
    return (canvas, value) => {
      checkInside(outline, canvas, where);
      paintPillowPolygon(canvas, outline, value);
    };
  }
  if (kind === "rectangle") {
    if (points.length !== 4)
      throw new DataError(`${where} has ${points.length / 2} points: a rectangle has two.`);
    return (canvas, value) => {
      checkInside(points, canvas, where);
      paintRectangle(canvas, points, value);
    };
  }
  throw new DataError(
    `${where} is a ${kind}: only polygons and rectangles can be learned from; draw it as a polygon.`,
  );
}

function paintRectangle(canvas: Canvas, [x0, y0, x1, y1]: readonly number[], value: number): void {
  const [left, right] = [Math.trunc(Math.min(x0, x1)), Math.trunc(Math.max(x0, x1))];
  for (let y = Math.trunc(Math.min(y0, y1)); y <= Math.trunc(Math.max(y0, y1)); y++)
    paintRow(canvas, y, left, right, value);
}
