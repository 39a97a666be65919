import type { Tensor } from "../graph.ts";
import { sameShape, shapeText, sizeOf } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";

/**
 * The same numbers in the same order under another shape (`tf.reshape`): never computed, takes no memory. x itself where it has that
 * shape.
 *
 * @throws Error when the shape has another number of elements.
 */
export function reshape<D extends DType>(x: Tensor<D>, shape: Shape): Tensor<D> {
  if (sameShape(x.shape, shape)) return x;
  if (sizeOf(x.shape) !== sizeOf(shape)) {
    throw new Error(
      `reshape: "${x.name}" ${shapeText(x.shape)} has ${sizeOf(x.shape)} elements and ${shapeText(shape)} ${sizeOf(shape)}.`,
    );
  }
  return x.graph.apply(
    {
      name: "reshape",
      outputs: [{ shape, dtype: x.dtype }],
      identity: true,
      gradient: ([dy]) => [() => reshape(dy!, x.shape)],
    },
    [x],
  ).outputs[0];
}
