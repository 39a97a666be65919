import type { Tensor } from "../graph.ts";
import { lowerCopy } from "../lowering/copy-box.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";
import { axisOf } from "./axes.ts";
import { concat } from "./concat.ts";
import { fill } from "./fill.ts";
import { reshape } from "./reshape.ts";

/** Which axis an op works along. */
export interface AxisOptions {
  /** Negative ones are counted from the last; the first by default. */
  readonly axis?: number;
}

/**
 * `x` cut along an axis (`tf.split`): into so many equal parts, or into parts of these extents. The gradient is one concatenation.
 *
 * @throws Error when x has no such axis, or it cannot be cut so.
 */
export function split<D extends DType>(
  x: Tensor<D>,
  parts: number | readonly number[],
  { axis = 0 }: AxisOptions = {},
): Tensor<D>[] {
  const at = axisOf("split", x, axis);
  const whole = x.shape[at];
  const extents = typeof parts === "number" ? equalParts(whole, parts) : parts;
  const total = extents.reduce((sum, extent) => sum + extent, 0);
  if (total !== whole || !extents.every((extent) => Number.isInteger(extent) && extent >= 1)) {
    const wanted = typeof parts === "number" ? `${parts} equal parts` : `parts of [${parts.join(", ")}]`;
    throw new Error(`split: axis ${at} of "${x.name}" ${shapeText(x.shape)} cannot be cut into ${wanted}.`);
  }
  if (extents.length === 1) return [x];
  let end = 0;
  const begins = extents.map((extent) => (end += extent) - extent);
  const shapes = extents.map((extent) => x.shape.map((each, i) => (i === at ? extent : each)));
  const { outputs } = x.graph.apply(
    {
      name: "split",
      family: "copy",
      outputs: shapes.map((shape) => ({ shape, dtype: x.dtype })),
      lower(l, outputs) {
        outputs.forEach((y, part) => {
          const from = x.shape.map((_, i) => (i === at ? begins[part] : 0));
          if (l.uses(y)) lowerCopy(l, x, y, { extents: y.shape, from });
        });
      },
      gradient: (dys) => [
        () =>
          concat(
            dys.map((dy, part): Tensor => dy ?? fill(x.graph, shapes[part], 0)),
            { axis: at },
          ),
      ],
    },
    [x],
  );
  return [...outputs];
}

const equalParts = (extent: number, parts: number): number[] =>
  Number.isInteger(parts) && parts >= 1 ? new Array<number>(parts).fill(extent / parts) : [];

/**
 * Tensors of one shape joined along a new axis (`tf.stack`), which is axis `axis` of the result.
 *
 * @throws Error when there is none, they differ in shape, or the result has no such axis.
 */
export function stack<D extends DType>(
  tensors: readonly Tensor<D>[],
  { axis = 0 }: AxisOptions = {},
): Tensor<D> {
  if (tensors.length === 0) throw new Error("stack takes at least one tensor.");
  const at = axisOf("stack", tensors[0], axis, 1);
  const other = tensors.find(({ shape }) => shapeText(shape) !== shapeText(tensors[0].shape));
  if (other) {
    const [first] = tensors;
    throw new Error(
      `stack: "${first.name}" ${shapeText(first.shape)} and "${other.name}" ${shapeText(other.shape)} differ in shape.`,
    );
  }
  const lines = tensors.map((x) => reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]));
  return concat(lines, { axis: at });
}

/**
 * The parts of `x` along an axis, without it (`tf.unstack`): the opposite of {@link stack}.
 *
 * @throws Error when x has no such axis.
 */
export function unstack<D extends DType>(x: Tensor<D>, { axis = 0 }: AxisOptions = {}): Tensor<D>[] {
  const at = axisOf("unstack", x, axis);
  const shape = x.shape.filter((_, i) => i !== at);
  return split(x, x.shape[at], { axis: at }).map((part) => reshape(part, shape));
}
