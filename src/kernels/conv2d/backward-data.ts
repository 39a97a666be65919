import type { Kernel, KernelTarget } from "../kernel.ts";
import type { Conv2dGeometry } from "./geometry.ts";
import { tapFlops } from "./geometry.ts";
import { backwardDataProduct } from "./tap-product.ts";
import type { TapFusion, TapKernel } from "./tap-product.ts";
import { tapProductRegister } from "./tap-product-register.ts";
import { tapProductWorkgroup } from "./tap-product-workgroup.ts";

/**
 * Gradient of a 2-D convolution by its input (`tf.nn.conv2d_backprop_input`): reads `dy` `[N, Ho, Wo, Cout]` and `w` HWIO
 * `[kh, kw, Cin, Cout]`, writes `dx` `[N, H, W, Cin]`; all f32. It is also the transposed convolution.
 *
 * An implicit matrix product of N·H·W rows, Cin columns and Cout steps a tap; with strides, each of the strideY·strideX
 * phases of the image visits only the taps that reach it.
 */
export function conv2dBackwardData(target: KernelTarget, g: Conv2dGeometry): Kernel {
  return conv2dBackwardDataFused(target, g, {}).kernel;
}

/** {@link conv2dBackwardData} that loads its source and stores its result as `fusion` says. */
export function conv2dBackwardDataFused(
  target: KernelTarget,
  g: Conv2dGeometry,
  fusion: TapFusion,
): TapKernel {
  const product = backwardDataProduct(g, fusion);
  const { kernel, partialCount } =
    target.family === "register" ? tapProductRegister(target, product) : tapProductWorkgroup(target, product);
  return {
    kernel: {
      ...kernel,
      flops: (fusion.layers?.count ?? 1) * tapFlops(g) * g.outChannels * product.channels,
    },
    partialCount,
  };
}
