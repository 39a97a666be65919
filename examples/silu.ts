/**
 * @file An op of one's own, whole: two WGSL kernels and the function that puts them into a graph. Its test,
 * `test/examples/silu.test.ts`, proves the gradient by finite differences and against tfjs.
 */
import { lowerElementwise, perItemKernel } from "bespoke";
import type { Kernel, KernelTarget, Tensor } from "bespoke";

/** SiLU or swish, `x · sigmoid(x)`, elementwise, any shape (`tf.nn.silu`; Elfwing et al. 2017). */
export function silu(x: Tensor): Tensor {
  return x.graph.apply(
    {
      name: "silu",
      outputs: [x],
      lower: (l, [y]) => lowerElementwise(l, siluForward, { x, y }),
      gradient: ([dy]) => [() => siluGradient(x, dy!)],
    },
    [x],
  ).outputs[0];
}

function siluGradient(x: Tensor, dy: Tensor): Tensor {
  return x.graph.apply(
    {
      name: "silu_gradient",
      outputs: [x],
      lower: (l, [dx]) => lowerElementwise(l, siluBackward, { x, dy, dx }),
    },
    [x, dy],
  ).outputs[0];
}

/** WGSL for x and σ(x). The exponent is held below the largest f32: WGSL need not know infinity. */
const SIGMOID = /* wgsl */ `
  let x = load_x(index);
  let sigmoid = 1.0 / (1.0 + exp(min(-x, 80.0)));`;

/** `y = x · σ(x)`, elementwise; `x`, `y`: `[count]` f32. */
function siluForward(target: KernelTarget, count: number): Kernel {
  return perItemKernel(target, count, {
    label: "silu_forward",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    body: `${SIGMOID}
  store_y(index, x * sigmoid);`,
  });
}

/** `dx = dy · σ(x) · (1 + x · (1 − σ(x)))`; all `[count]` f32. */
function siluBackward(target: KernelTarget, count: number): Kernel {
  return perItemKernel(target, count, {
    label: "silu_backward",
    read: { x: "array<f32>", dy: "array<f32>" },
    write: { dx: "array<f32>" },
    body: `${SIGMOID}
  store_dx(index, load_dy(index) * sigmoid * (1.0 + x * (1.0 - sigmoid)));`,
  });
}
