import { copyChannels } from "../../kernels/copy-channels.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { sameShape, shapeText } from "../shape.ts";
import { fill } from "./fill.ts";
import { lastAxis } from "../lowering/last-axis.ts";
import { lowerCopy } from "../lowering/copy-box.ts";
import type { DType, Shape } from "../shape.ts";
import { axisOf } from "./axes.ts";
import { cutBox } from "./box.ts";

/** Options of {@link concat}. */
export interface ConcatOptions {
  /** Negative ones are counted from the last, which it is by default. */
  readonly axis?: number;
}

/**
 * Joins tensors along an axis (`tf.concat`): `[N, .., Ci]` along the last into `[N, .., ΣCi]`. f16 where one of them is; u32 if all are. Of one
 * tensor, a copy.
 *
 * @throws Error when there is none, they have no such axis, differ in another, or only some are u32.
 */
export function concat<D extends DType>(
  tensors: readonly Tensor<D>[],
  { axis = -1 }: ConcatOptions = {},
): Tensor<D> {
  if (tensors.length === 0) throw new Error("concat takes at least one tensor.");
  const [first] = tensors;
  const at = axisOf("concat", first, axis);
  const others = ({ shape }: Tensor): Shape => shape.filter((_, i) => i !== at);
  for (const x of tensors) {
    const named = [first, x].map(
      (each) => `"${each.name}" ${each.dtype === "u32" ? "u32 " : ""}${shapeText(each.shape)}`,
    );
    if (x.shape.length !== first.shape.length || !sameShape(others(x), others(first)))
      throw new Error(`concat: ${named.join(" and ")} differ in another axis than ${at}.`);
    if ((x.dtype === "u32") !== (first.dtype === "u32"))
      throw new Error(`concat: of ${named.join(" and ")} one is u32: cast it to f32 first.`);
  }
  const isLast = at === first.shape.length - 1 && at > 0;
  return isLast && first.dtype !== "u32" ? joinChannels(tensors) : joinAlong(tensors, at);
}

const dtypeOf = (tensors: readonly Tensor[]): DType =>
  tensors.find(({ dtype }) => dtype === "f16")?.dtype ?? tensors[0].dtype;

function joinAlong<D extends DType>(tensors: readonly Tensor<D>[], axis: number): Tensor<D> {
  const [first] = tensors;
  let end = 0;
  const begins = tensors.map(({ shape }) => {
    end += shape[axis];
    return shape.map((extent, i) => (i === axis ? end - extent : 0));
  });
  return first.graph.apply(
    {
      name: "concat",
      family: "copy",
      outputs: [
        { shape: first.shape.map((extent, i) => (i === axis ? end : extent)), dtype: dtypeOf(tensors) as D },
      ],
      lower(l, [y]) {
        tensors.forEach((x, i) => lowerCopy(l, x, y, { extents: x.shape, to: begins[i] }));
      },
      gradient: ([dy]) =>
        tensors.map(
          ({ shape }, i) =>
            () =>
              cutBox(dy!, begins[i], shape),
        ),
    },
    tensors,
  ).outputs[0];
}

/** Along the last axis: what `graph/fuse` may lay in place. */
function joinChannels<D extends DType>(tensors: readonly Tensor<D>[]): Tensor<D> {
  const [first] = tensors;
  const leading = first.shape.slice(0, -1);
  let channels = 0;
  const parts = tensors.map((x) => {
    const size = x.shape.at(-1)!;
    channels += size;
    return { x, begin: channels - size, size };
  });
  const { rowsPerItem } = lastAxis("concat", first);
  const dtype = dtypeOf(tensors) as D;
  return first.graph.apply(
    {
      name: "concat",
      family: "copy",
      pattern: { kind: "concat", parts: tensors },
      outputs: [{ shape: [...leading, channels], dtype }],
      lower(l, [y]) {
        for (const range of l.slices([...tensors, y])) {
          for (const { x, begin, size } of parts) {
            const from = { width: size, begin: 0 };
            const to = { width: channels, begin };
            const kernel = copyChannels(l.target, range.count * rowsPerItem, size, from, to);
            l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(y, range) });
          }
        }
      },
      gradient: ([dy]) =>
        parts.map(
          ({ begin, size }) =>
            () =>
              sliceChannels(dy!, begin, size),
        ),
    },
    tensors,
  ).outputs[0];
}

/**
 * Channels `begin` to `begin + size − 1` of `x` `[N, .., C]`: `[N, .., size]`.
 *
 * @throws Error when `x` does not have them all.
 */
export function sliceChannels<D extends DType>(x: Tensor<D>, begin: number, size: number): Tensor<D> {
  const { extent, rowsPerItem } = lastAxis("sliceChannels", x);
  const whole = Number.isInteger(begin) && Number.isInteger(size);
  if (!whole || begin < 0 || size < 1 || begin + size > extent) {
    throw new Error(
      `sliceChannels: "${x.name}" ${shapeText(x.shape)} has no ${size} channels from channel ${begin} on.`,
    );
  }
  const leading = x.shape.slice(0, -1);
  const zeros = (channels: number): Tensor[] =>
    channels > 0 ? [fill(x.graph, [...leading, channels], 0)] : [];
  return x.graph.apply(
    {
      name: "slice_channels",
      family: "copy",
      outputs: [{ shape: [...leading, size], dtype: x.dtype }],
      pattern: { kind: "slice", x, begin },
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const from = { width: extent, begin };
          const to = { width: size, begin: 0 };
          const kernel = copyChannels(l.target, range.count * rowsPerItem, size, from, to);
          l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(y, range) });
        }
      },
      gradient: ([dy]) => [() => concat([...zeros(begin), dy!, ...zeros(extent - begin - size)])],
    },
    [x],
  ).outputs[0];
}
