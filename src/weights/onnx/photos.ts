/** @file What is done to a photo before the network and to the logits behind it, as a part of the ONNX graph. */
import { WeightsError } from "../weights-error.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { OnnxValue } from "./model.ts";

/** Of ImageNet's photos: red, green, blue; `keras.applications.densenet.preprocess_input`. */
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

/** Photos of one size, whatever it is, as their pixels are stored. */
export const PHOTOS: OnnxValue = {
  name: "photos",
  type: "uint8",
  shape: ["N", "height", "width", 3],
};

/**
 * Makes of {@link PHOTOS} what the network takes, as training does: resized bilinearly to `size`² (half-pixel centres, no
 * antialiasing), divided by 255, normalized.
 *
 * @param output the name of the result `[N, 3, size, size]`
 * @throws {WeightsError} where the normalization is not known
 */
export function addPreparation(
  graph: GraphBuilder,
  output: string,
  size: number,
  normalization = "unit",
): void {
  const numbers = graph.node("Cast", "photos/float", [PHOTOS.name], { to: { int: 1 } });
  const planes = graph.node("Transpose", "photos/nchw", [numbers], { perm: { ints: [0, 3, 1, 2] } });
  const resized = graph.node(
    "Resize",
    "photos/resized",
    [planes, "", "", graph.ints("photos/size", [size, size])],
    {
      axes: { ints: [2, 3] },
      mode: { string: "linear" },
      coordinate_transformation_mode: { string: "half_pixel" },
      antialias: { int: 0 },
    },
  );
  const scale = graph.floats("photos/scale", [], Float32Array.of(1 / 255));
  if (normalization === "unit") {
    graph.node("Mul", output, [resized, scale]);
    return;
  }
  if (normalization !== "imagenet") {
    throw new WeightsError(
      `The normalization "${normalization}" is not known here: it must be unit or imagenet to become part of the model.`,
    );
  }
  const scaled = graph.node("Mul", "photos/scaled", [resized, scale]);
  const channels = (values: number[]): [number[], Float32Array] => [[3, 1, 1], Float32Array.from(values)];
  const centred = graph.node("Sub", "photos/centred", [
    scaled,
    graph.floats("photos/mean", ...channels(MEAN)),
  ]);
  graph.node("Div", output, [centred, graph.floats("photos/std", ...channels(STD))]);
}

/** Adds the likeliest class of each pixel, of equal ones the first: `[N, classes, S, S]` becomes `labels` `[N, S, S]`. */
export function addLabels(graph: GraphBuilder, logits: string, size: number): OnnxValue {
  const name = graph.node("ArgMax", "labels", [logits], { axis: { int: 1 }, keepdims: { int: 0 } });
  return { name, type: "int64", shape: ["N", size, size] };
}
