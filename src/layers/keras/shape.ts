import { reshape as reshaped } from "../../graph/ops/reshape.ts";
import { shapeText, sizeOf } from "../../graph/shape.ts";
import type { Shape } from "../../graph/shape.ts";
import { defineLayer } from "./layer.ts";
import type { Layer, LayerOptions } from "./layer.ts";

/** Keras `Flatten`: `[N, ..]` to `[N, K]`. It costs nothing. */
export const flatten = (options: LayerOptions = {}): Layer =>
  defineLayer("flatten", options, (x) => reshaped(x, [x.shape[0], sizeOf(x.shape.slice(1))]));

/**
 * Keras `Reshape`: `[N, ..]` to `[N, ..targetShape]`, of which one extent may be −1 and is what is left. It costs nothing.
 *
 * @throws Error when two extents are −1; when it is applied to a tensor of another number of elements.
 */
export function reshape(targetShape: Shape, options: LayerOptions = {}): Layer {
  const known = targetShape.filter((extent) => extent !== -1);
  if (known.length < targetShape.length - 1)
    throw new Error(`reshape: only one extent of ${shapeText(targetShape)} may be −1.`);
  return defineLayer("reshape", options, (x) => {
    const rest = sizeOf(x.shape.slice(1)) / sizeOf(known);
    if (known.length < targetShape.length && !Number.isInteger(rest)) {
      throw new Error(
        `reshape: the ${sizeOf(x.shape.slice(1))} elements of each item of "${x.name}" ${shapeText(x.shape)} do not divide into ` +
          `${shapeText(targetShape)}.`,
      );
    }
    return reshaped(x, [x.shape[0], ...targetShape.map((extent) => (extent === -1 ? rest : extent))]);
  });
}
