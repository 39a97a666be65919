import { transposeForward } from "../../kernels/transpose.ts";
import { LANES } from "../../kernels/text/channel-grid.ts";
import type { Tensor } from "../graph.ts";
import { lowerCopy } from "../lowering/copy-box.ts";
import { batchSlice } from "../op.ts";
import type { Lowering } from "../op.ts";
import { bytesOf, shapeText } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";
import { reshape } from "./reshape.ts";

/**
 * `x` of any shape and type with its axes in another order (`tf.transpose`, `numpy.transpose`): axis i of the result is axis `axes[i]` of x,
 * negative ones counted from the last; without `axes`, all in reverse, so that a matrix `[N, M]` becomes `[M, N]`. Where only axes of extent 1 move it
 * costs nothing.
 *
 * @throws Error when `axes` does not name each axis of x once.
 */
export function transpose<D extends DType>(x: Tensor<D>, axes?: readonly number[]): Tensor<D> {
  const rank = x.shape.length;
  const order = axes?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? [...x.shape.keys()].reverse();
  if (order.length !== rank || x.shape.some((_, axis) => !order.includes(axis))) {
    throw new Error(
      `transpose: the axes [${(axes ?? []).join(", ")}] do not name each of the ${rank} axes of "${x.name}" ${shapeText(x.shape)} ` +
        `once.`,
    );
  }
  const shape = order.map((axis) => x.shape[axis]);
  const merged = mergeMoved(x.shape, order);
  if (merged.order.every((axis, i) => axis === i)) return reshape(x, shape);
  return reshape(permuted(reshape(x, merged.shape), merged.order), shape);
}

/** Axes that stay together as one, those of extent 1 left out: the shape that is left, and the order of its axes. */
function mergeMoved(shape: Shape, order: readonly number[]): { shape: Shape; order: readonly number[] } {
  const groups: number[][] = [];
  let before = NaN;
  for (const axis of order.filter((each) => shape[each] > 1)) {
    const follows = axis > before && shape.slice(before + 1, axis).every((extent) => extent === 1);
    if (follows) groups.at(-1)!.push(axis);
    else groups.push([axis]);
    before = axis;
  }
  const inMemory = [...groups].sort(([a], [b]) => a - b);
  return {
    shape: inMemory.map((group) => group.reduce((extent, axis) => extent * shape[axis], 1)),
    order: groups.map((group) => inMemory.indexOf(group)),
  };
}

/** `x` with its axes, which all move on their own, in `order`. */
function permuted<D extends DType>(x: Tensor<D>, order: readonly number[]): Tensor<D> {
  const back = order.map((_, axis) => order.indexOf(axis));
  return x.graph.apply(
    {
      name: "transpose",
      family: "copy",
      outputs: [{ shape: order.map((axis) => x.shape[axis]), dtype: x.dtype }],
      lower(l, [y]) {
        if (!lowerMatrices(l, x, y, order)) lowerCopy(l, x, y, { extents: y.shape, axes: order });
      },
      gradient: ([dy]) => [() => permuted(dy!, back)],
    },
    [x],
  ).outputs[0];
}

/** Transposes matrices, if that is what the order asks for and their bindings and grids may be so large. */
function lowerMatrices(l: Lowering, x: Tensor, y: Tensor, order: readonly number[]): boolean {
  const many = order.length === 3;
  if (order.join() !== (many ? "0,2,1" : "1,0")) return false;
  const [count, rows, columns] = many ? y.shape : [1, ...y.shape];
  // Blocks of four by four are as much as a CPU gains by.
  if (l.target.family === "register" && rows % 4 === 0 && columns % 4 === 0) return false;
  const most = l.target.maxWorkgroupsPerDimension;
  if (columns > most * LANES) return false;
  if (!many && Math.max(bytesOf(x), bytesOf(y)) > l.target.maxBindingBytes) return false;
  const ranges = many ? l.slices([x, y]) : [{ first: 0, count }];
  if (ranges.some((range) => range.count > most)) return false;
  for (const range of ranges) {
    const kernel = transposeForward(l.target, { count: range.count, rows, columns }, x.dtype === "u32");
    const part = (tensor: Tensor) => (many ? batchSlice(tensor, range) : tensor);
    l.dispatch(kernel, { x: part(x), y: part(y) });
  }
  return true;
}
