import type { Tensor } from "../graph.ts";
import { sameShape, shapeText, sizeOf } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";
import { axisOf } from "./axes.ts";

/**
 * The same numbers in the same order under another shape (`tf.reshape`): never computed, takes no memory. One extent may be −1: as large as
 * the others leave it. x itself where it has that shape.
 *
 * @throws Error when the shape has another number of elements.
 */
export function reshape<D extends DType>(x: Tensor<D>, wanted: Shape): Tensor<D> {
  const left = sizeOf(x.shape) / sizeOf(wanted.filter((extent) => extent !== -1));
  const open = wanted.indexOf(-1);
  const shape = open < 0 ? wanted : wanted.map((extent, axis) => (axis === open ? left : extent));
  if (sameShape(x.shape, shape)) return x;
  if (open >= 0 && (!Number.isInteger(left) || shape.includes(-1))) {
    throw new Error(
      `reshape: "${x.name}" ${shapeText(x.shape)} cannot have the shape ${shapeText(wanted)}: one extent may be -1, where the others ` +
        `divide ${sizeOf(x.shape)}.`,
    );
  }
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

/**
 * `x` with an axis of extent 1 before axis `axis`, negative ones counted from the last of the result (`tf.expandDims`). See {@link reshape}.
 *
 * @throws Error when the result has no such axis.
 */
export function expandDims<D extends DType>(x: Tensor<D>, axis: number): Tensor<D> {
  const at = axisOf("expandDims", x, axis, 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/**
 * `x` without axes of extent 1, all of them by default (`tf.squeeze`). See {@link reshape}.
 *
 * @throws Error when x has no such axis, or its extent is not 1.
 */
export function squeeze<D extends DType>(x: Tensor<D>, axes?: readonly number[]): Tensor<D> {
  const { shape, name } = x;
  const taken =
    axes?.map((axis) => axisOf("squeeze", x, axis)) ?? [...shape.keys()].filter((i) => shape[i] === 1);
  const larger = taken.find((axis) => shape[axis] !== 1);
  if (larger !== undefined)
    throw new Error(
      `squeeze: axis ${larger} of "${name}" ${shapeText(shape)} has ${shape[larger]} numbers, not 1.`,
    );
  return reshape(
    x,
    shape.filter((_, axis) => !taken.includes(axis)),
  );
}
