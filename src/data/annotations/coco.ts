import { z } from "zod";
import { DataError } from "../data-error.ts";
import type { Canvas } from "../shapes/canvas.ts";
import { paintCocoPolygon } from "../shapes/coco-polygon.ts";
import { paintRunLengths, parseRunLengths } from "../shapes/run-lengths.ts";
import { checkedOutline, checkInside } from "./annotation.ts";
import type { AnnotationSet, LabelledShape } from "./annotation.ts";
import { checked } from "./foreign.ts";

const id = z.union([z.number(), z.string()]);
const runLengths = z.object({
  counts: z.union([z.array(z.number()), z.string()]),
  size: z.tuple([z.number(), z.number()]),
});
/** Not `z.array`, which copies: files have tens of millions of coordinates. What is no number is found with the outline. */
const outlines = z.custom<number[][]>(
  (value) => Array.isArray(value) && value.every((points) => Array.isArray(points)),
  "Invalid input: expected lists of coordinates",
);
const schema = z.object({
  images: z.array(
    z.object({ id, file_name: z.string(), width: z.number().nullish(), height: z.number().nullish() }),
  ),
  annotations: z.array(
    z.object({
      id: id.nullish(),
      image_id: id,
      category_id: id,
      iscrowd: z.union([z.number(), z.boolean()]).nullish(),
      segmentation: z.union([outlines, runLengths]).nullish(),
    }),
  ),
  categories: z.array(z.object({ id, name: z.string(), supercategory: z.string().nullish() })),
});
export type CocoCategory = z.infer<typeof schema>["categories"][number];
type CocoAnnotation = z.infer<typeof schema>["annotations"][number];

export interface CocoSet extends AnnotationSet {
  /** In the order of their ids. */
  readonly categories: readonly CocoCategory[];
}

/**
 * COCO's `instances_*.json` (https://cocodataset.org/#format-data) as segmentation: the annotations of a photo in the order of
 * the file, filled by pycocotools's rule; the polygons of one annotation together; a crowd's pixels do not count. Classes come
 * in the order of the categories' ids.
 *
 * @throws DataError that names the annotation when it does not fit
 */
export function readCoco(value: unknown, file: string): CocoSet {
  const { images, annotations, categories } = checked(schema, value, file, "a COCO data set");
  const names = new Map(categories.map((category) => [category.id, category.name]));
  const shapes = new Map<string | number, LabelledShape[]>();
  for (const image of images) {
    if (shapes.has(image.id))
      throw new DataError(`${file} has two images of the id ${image.id}: give each its own.`);
    shapes.set(image.id, []);
  }
  annotations.forEach((annotation, i) => {
    const where = `${file}, annotation ${annotation.id ?? `[${i}]`}`;
    const list = shapes.get(annotation.image_id);
    if (list === undefined) {
      throw new DataError(
        `${where} is of image ${annotation.image_id}, which the file does not have: remove it or add the image.`,
      );
    }
    const name = names.get(annotation.category_id);
    if (name === undefined) {
      throw new DataError(
        `${where} has category ${annotation.category_id}, which the file does not have: add it to the categories.`,
      );
    }
    list.push(...shapesOf(annotation, name, where));
  });
  const order = [...categories].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return {
    categories: order,
    labels: order.map(({ name }) => name),
    photos: images.map(({ id, file_name, width, height }) => ({
      photo: file_name,
      size: width != null && height != null ? { width, height } : null,
      shapes: shapes.get(id)!,
      where: `${file}, image ${id}`,
    })),
  };
}

function shapesOf({ segmentation, iscrowd }: CocoAnnotation, name: string, where: string): LabelledShape[] {
  const label = iscrowd ? null : name;
  // A box without an outline, as detection data sets have it, says nothing of pixels.
  if (segmentation == null || (Array.isArray(segmentation) && segmentation.length === 0)) {
    throw new DataError(
      `${where} has a box but no segmentation: label the outline, or remove the annotation.`,
    );
  }
  if (Array.isArray(segmentation)) {
    const outlines = segmentation.map((points) => checkedOutline(points, where));
    const paint = (canvas: Canvas, value: number): void => {
      for (const outline of outlines) {
        checkInside(outline, canvas, where);
        paintCocoPolygon(canvas, outline, value);
      }
    };
    return [{ label, paint }];
  }
  const { counts, size } = segmentation;
  const runs = typeof counts === "string" ? parseRunLengths(counts, where) : counts;
  const paint = (canvas: Canvas, value: number): void => {
    if (size[0] !== canvas.height || size[1] !== canvas.width) {
      throw new DataError(
        `${where} has run lengths of ${size[1]}×${size[0]} pixels, and its photo has ${canvas.width}×${canvas.height}: ` +
          "export it anew from the photo as it is.",
      );
    }
    paintRunLengths(canvas, runs, value, where);
  };
  return [{ label, paint }];
}
