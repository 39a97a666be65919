import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";
import { cutBox } from "./box.ts";
import { sliceChannels } from "./concat.ts";

/**
 * A box of `x`, of any shape and type (`tf.slice`): along axis i from number `begin[i]` on, `size[i]` of them, or with −1, or where there is none, all
 * that follow. Axes that `begin` does not name stay whole. x itself where nothing is cut off.
 *
 * @throws Error when x does not have such a box, or it would be empty.
 */
export function slice<D extends DType>(x: Tensor<D>, begin: Shape, size: Shape = []): Tensor<D> {
  const { shape } = x;
  const from = shape.map((_, axis) => begin[axis] ?? 0);
  const extents = shape.map((extent, axis) => {
    const asked = size[axis] ?? -1;
    return asked === -1 ? extent - from[axis] : asked;
  });
  const fits = (extent: number, axis: number): boolean =>
    [from[axis], extents[axis]].every(Number.isInteger) &&
    from[axis] >= 0 &&
    extents[axis] >= 1 &&
    from[axis] + extents[axis] <= extent;
  if (Math.max(begin.length, size.length) > shape.length || !shape.every(fits)) {
    throw new Error(
      `slice: "${x.name}" ${shapeText(shape)} has no box of ${shapeText(size)} from ${shapeText(begin)} on: begin from 0, and ` +
        `at least one number along each axis.`,
    );
  }
  const cut = shape.flatMap((extent, axis) => (extents[axis] < extent ? [axis] : []));
  if (cut.length === 0) return x;
  const last = shape.length - 1;
  // What lies along the channels alone may be read where it is.
  if (cut.length === 1 && cut[0] === last && last > 0 && x.dtype !== "u32")
    return sliceChannels(x, from[last], extents[last]);
  return cutBox(x, from, extents);
}
