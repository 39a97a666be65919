/** @file What is done to a photo before the network and to the logits behind it, as a part of the ONNX graph. */
import type { Size } from "../../image-size.ts";
import { WeightsError } from "../weights-error.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { OnnxValue } from "./model.ts";

/** What becomes of pixels 0…255: `x · scale + offset` of each channel, red, green, blue, or the other way round. */
interface Scaling {
  readonly scale: readonly number[];
  readonly offset: readonly number[];
  readonly bgr?: true;
}

const DEVIATION = [0.229, 0.224, 0.225];

/** By the names that `normalization` has in the metadata; the numbers are those of Keras's `preprocess_input`. */
const SCALINGS: Readonly<Record<string, Scaling>> = {
  unit: { scale: [1 / 255, 1 / 255, 1 / 255], offset: [0, 0, 0] },
  imagenet: {
    scale: DEVIATION.map((deviation) => 1 / 255 / deviation),
    offset: [0.485, 0.456, 0.406].map((mean, c) => -mean / DEVIATION[c]),
  },
  caffe: { scale: [1, 1, 1], offset: [-103.939, -116.779, -123.68], bgr: true },
  tf: { scale: [1 / 127.5, 1 / 127.5, 1 / 127.5], offset: [-1, -1, -1] },
  bytes: { scale: [1, 1, 1], offset: [0, 0, 0] },
};

/** Photos of one size, whatever it is, as their pixels are stored. */
export const PHOTOS: OnnxValue = {
  name: "photos",
  type: "uint8",
  shape: ["N", "height", "width", 3],
};

/**
 * Makes of {@link PHOTOS} what the network takes, as training does: resized bilinearly to `size` (half-pixel centres, no
 * antialiasing) and normalized.
 *
 * @param output the name of the result `[N, 3, height, width]`
 * @throws {WeightsError} where the normalization is not known
 */
export function addPreparation(
  graph: GraphBuilder,
  output: string,
  size: Size,
  normalization = "unit",
): void {
  const floats = graph.node("Cast", "photos/float", [PHOTOS.name], { to: { int: 1 } });
  const planes = graph.node("Transpose", "photos/nchw", [floats], { perm: { ints: [0, 3, 1, 2] } });
  const resized = graph.node(
    "Resize",
    "photos/resized",
    [planes, "", "", graph.ints("photos/size", [size.height, size.width])],
    {
      axes: { ints: [2, 3] },
      mode: { string: "linear" },
      coordinate_transformation_mode: { string: "half_pixel" },
      antialias: { int: 0 },
    },
  );
  if (!Object.hasOwn(SCALINGS, normalization)) {
    throw new WeightsError(
      `The normalization "${normalization}" is not known here: it must be ${Object.keys(SCALINGS).join(", ")} to become ` +
        "part of the model.",
    );
  }
  const { scale, offset, bgr } = SCALINGS[normalization];
  const numbers = (name: string, values: readonly number[]): string =>
    graph.floats(`photos/${name}`, [3, 1, 1], Float32Array.from(values));
  const turned = bgr
    ? graph.node("Gather", "photos/bgr", [resized, graph.ints("photos/order", [2, 1, 0])], {
        axis: { int: 1 },
      })
    : resized;
  const scaled = graph.node("Mul", "photos/scaled", [turned, numbers("scale", scale)]);
  graph.node("Add", output, [scaled, numbers("offset", offset)]);
}

/** Adds the likeliest class of each pixel, of equal ones the first: `[N, classes, H, W]` becomes `labels` `[N, H, W]`. */
export function addLabels(graph: GraphBuilder, logits: string, { height, width }: Size): OnnxValue {
  const name = graph.node("ArgMax", "labels", [logits], { axis: { int: 1 }, keepdims: { int: 0 } });
  return { name, type: "int64", shape: ["N", height, width] };
}
