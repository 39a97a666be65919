import { copyChannels } from "../../kernels/copy-channels.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { sameShape, shapeText } from "../shape.ts";
import { fill } from "./fill.ts";
import { lastAxis } from "../lowering/last-axis.ts";
import type { DType } from "../shape.ts";

/**
 * Joins tensors `[N, .., Ci]` along the last axis into `[N, .., ΣCi]` (`tf.concat`, axis −1), f16 where one of
 * them is. Of one tensor, a copy.
 *
 * @throws Error when there is none, or they differ in another axis than the last.
 */
export function concat<D extends DType>(tensors: readonly Tensor<D>[]): Tensor<D> {
  if (tensors.length === 0) throw new Error("concat takes at least one tensor.");
  const [first] = tensors;
  const leading = first.shape.slice(0, -1);
  const parts: { x: Tensor; begin: number; size: number }[] = [];
  let channels = 0;
  for (const x of tensors) {
    const { extent } = lastAxis("concat", x);
    if (!sameShape(x.shape.slice(0, -1), leading)) {
      throw new Error(
        `concat: "${first.name}" ${shapeText(first.shape)} and "${x.name}" ${shapeText(x.shape)} differ in another ` +
          `axis than the last.`,
      );
    }
    parts.push({ x, begin: channels, size: extent });
    channels += extent;
  }
  const { rowsPerItem } = lastAxis("concat", first);
  const dtype = (tensors.some((x) => x.dtype === "f16") ? "f16" : "f32") as D;
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
