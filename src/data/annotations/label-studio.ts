import { z } from "zod";
import { DataError } from "../data-error.ts";
import type { Size } from "../resize.ts";
import { paintBrush } from "../shapes/brush-rle.ts";
import type { Canvas } from "../shapes/canvas.ts";
import { paintCocoPolygon } from "../shapes/coco-polygon.ts";
import { checkedOutline } from "./annotation.ts";
import type { AnnotationSet, LabelledShape, PhotoAnnotation } from "./annotation.ts";
import { checked } from "./foreign.ts";

const result = z.looseObject({
  id: z.string().nullish(),
  type: z.string(),
  original_width: z.number().nullish(),
  original_height: z.number().nullish(),
  image_rotation: z.number().nullish(),
  value: z.looseObject({
    points: z.array(z.tuple([z.number(), z.number()])).nullish(),
    rle: z.array(z.number()).nullish(),
    x: z.number().nullish(),
    y: z.number().nullish(),
    width: z.number().nullish(),
    height: z.number().nullish(),
    rotation: z.number().nullish(),
  }),
});
const schema = z.array(
  z.looseObject({
    id: z.union([z.number(), z.string()]).nullish(),
    data: z.record(z.string(), z.unknown()),
    annotations: z.array(
      z.looseObject({ was_cancelled: z.boolean().nullish(), result: z.array(z.unknown()) }),
    ),
  }),
);
type Result = z.infer<typeof result>;

/** Kinds of regions and what the list of their labels is called. */
const KINDS = ["polygonlabels", "brushlabels", "rectanglelabels"] as const;

/**
 * Label Studio's export as JSON: polygons, brushes and rectangles of each task's first annotation that was not cancelled, each
 * over those before it. Coordinates are percents of the photo. Polygons are filled by pycocotools's rule, by which Label
 * Studio's converter writes COCO.
 *
 * @throws DataError that names the task and region when it cannot be filled
 */
export function readLabelStudio(value: unknown, file: string): AnnotationSet {
  const tasks = checked(schema, value, file, "an export of Label Studio");
  const photos = tasks.flatMap((task, i): PhotoAnnotation[] => {
    const where = `${file}, task ${task.id ?? i + 1}`;
    const annotation = task.annotations.find(({ was_cancelled }) => !was_cancelled);
    if (annotation === undefined) return [];
    const regions = annotation.result
      .filter((region) => (KINDS as readonly unknown[]).includes((region as { type?: unknown } | null)?.type))
      .map((region) => checked(result, region, where, "a region of Label Studio"));
    const sized = regions.find(
      ({ original_width, original_height }) => original_width != null && original_height != null,
    );
    return [
      {
        photo: photoOf(task.data, where),
        size: sized ? { width: sized.original_width!, height: sized.original_height! } : null,
        where,
        shapes: regions.map((region, at) => shapeOf(region, `${where}, region ${region.id ?? at + 1},`)),
      },
    ];
  });
  return { labels: [], photos };
}

/** The photo of a task: the one text among its data that names a picture. */
function photoOf(data: Readonly<Record<string, unknown>>, where: string): string {
  const texts = Object.values(data).filter((value) => typeof value === "string");
  const photo =
    texts.find((value) => /\.(?:png|jpe?g|webp|tiff?|avif|bmp)(?:$|[?#])/i.test(value)) ?? texts[0];
  if (photo === undefined) throw new DataError(`${where} names no photo among its data: export it anew.`);
  const local = /[?&]d=([^&]+)/.exec(photo);
  return decodeURIComponent(local ? local[1] : photo.replace(/[?#].*$/, ""));
}

function shapeOf({ type, value, image_rotation }: Result, where: string): LabelledShape {
  const labels = (value as Record<string, unknown>)[type];
  if (!Array.isArray(labels) || typeof labels[0] !== "string") {
    throw new DataError(`${where} has no label: label it or remove it.`);
  }
  if (image_rotation) {
    throw new DataError(
      `${where} was drawn on a photo turned by ${image_rotation}°: save the photo upright and label that.`,
    );
  }
  return { label: labels[0], paint: painter(type, value, where) };
}

function painter(type: string, value: Result["value"], where: string): LabelledShape["paint"] {
  if (type === "brushlabels") {
    const { rle } = value;
    if (rle == null) throw new DataError(`${where} is a brush without its strokes: export it as JSON.`);
    return (canvas, label) => paintBrush(canvas, rle, label, where);
  }
  if (type === "rectanglelabels") {
    const { x, y, width, height, rotation } = value;
    if (rotation)
      throw new DataError(`${where} is a rectangle turned by ${rotation}°: draw it as a polygon.`);
    const [left, top, right, bottom] = [x!, y!, x! + width!, y! + height!];
    return percents([left, top, right, top, right, bottom, left, bottom], where);
  }
  return percents((value.points ?? []).flat(), where);
}

/** Paints a polygon whose coordinates are percents of the photo's width and height. */
function percents(points: readonly number[], where: string): LabelledShape["paint"] {
  const outline = checkedOutline(points, where);
  const outside = outline.find((percent) => percent < -1 || percent > 101);
  if (outside !== undefined) {
    throw new DataError(`${where} has a point at ${outside} %, outside its photo: move it inside.`);
  }
  return (canvas: Canvas, value: number) =>
    paintCocoPolygon(
      canvas,
      outline.map((percent, i) => (percent / 100) * extent(canvas, i)),
      value,
    );
}

const extent = ({ width, height }: Size, axis: number): number => (axis % 2 === 0 ? width : height);
