/**
 * @file The three matrix products behind convolutions, as nodes: forward, by data and by weights. `conv2d` and
 * `conv2d_transpose` are made of them, each the other's gradient.
 */
import { conv2dBackwardData } from "../../kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights, sumPartials } from "../../kernels/conv2d/backward-weights.ts";
import { conv2dForward } from "../../kernels/conv2d/forward.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import type { Tensor } from "../graph.ts";
import { slice } from "../op.ts";
import type { Op } from "../op.ts";
import { sizeOf } from "../shape.ts";

type Naming = Pick<Op, "name" | "gradient">;

/** `y` `[N, Ho, Wo, Cout]` = conv(`x` `[N, H, W, Cin]`, `kernel` HWIO). */
export function applyForward(x: Tensor, kernel: Tensor, g: Conv2dGeometry, naming: Naming): Tensor {
  const shape = [g.batch, g.outHeight, g.outWidth, g.outChannels];
  const op: Op = {
    ...naming,
    outputs: [{ shape, dtype: "f32" }],
    lower(l, [y]) {
      for (const range of l.slices([x, y])) {
        const part = { ...g, batch: range.count };
        l.dispatch(conv2dForward(l.target, part), { x: slice(x, range), w: kernel, y: slice(y, range) });
      }
    },
  };
  return x.graph.apply(op, [x, kernel]).outputs[0];
}

/** `dx` `[N, H, W, Cin]` from `dy` `[N, Ho, Wo, Cout]` and `kernel` HWIO: the adjoint of {@link applyForward} in x. */
export function applyBackwardData(dy: Tensor, kernel: Tensor, g: Conv2dGeometry, naming: Naming): Tensor {
  const shape = [g.batch, g.inHeight, g.inWidth, g.inChannels];
  const op: Op = {
    ...naming,
    outputs: [{ shape, dtype: "f32" }],
    lower(l, [dx]) {
      for (const range of l.slices([dy, dx])) {
        const part = { ...g, batch: range.count };
        l.dispatch(conv2dBackwardData(l.target, part), {
          dy: slice(dy, range),
          w: kernel,
          dx: slice(dx, range),
        });
      }
    },
  };
  return dy.graph.apply(op, [dy, kernel]).outputs[0];
}

/** `dw` HWIO from `x` and `dy`: the adjoint of {@link applyForward} in the kernel, summed over the whole batch. */
export function applyBackwardWeights(x: Tensor, dy: Tensor, g: Conv2dGeometry, naming: Naming): Tensor {
  const shape = [g.kernelHeight, g.kernelWidth, g.inChannels, g.outChannels];
  const op: Op = {
    ...naming,
    outputs: [{ shape, dtype: "f32" }],
    lower(l, [dw]) {
      const count = sizeOf(shape);
      l.slices([x, dy]).forEach((range, i) => {
        const { partial, splits } = conv2dBackwardWeights(l.target, { ...g, batch: range.count });
        const whole = i === 0 && splits === 1;
        const partials = whole ? dw : l.scratch(4 * splits * count);
        l.dispatch(partial, { x: slice(x, range), dy: slice(dy, range), dw: partials });
        if (!whole) l.dispatch(sumPartials(l.target, count, splits, { accumulate: i > 0 }), { partials, dw });
      });
    },
  };
  return x.graph.apply(op, [x, dy]).outputs[0];
}
