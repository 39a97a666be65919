import type { Kernel, KernelTarget } from "../kernel.ts";
import type { Conv2dGeometry } from "./geometry.ts";
import { tapFlops } from "./geometry.ts";
import { forwardProduct } from "./tap-product.ts";
import type { TapFusion, TapKernel } from "./tap-product.ts";
import { tapProductRegister } from "./tap-product-register.ts";
import { tapProductWorkgroup } from "./tap-product-workgroup.ts";

/**
 * 2-D convolution (`tf.nn.conv2d`): reads `x` `[N, H, W, Cin]` and `w` HWIO `[kh, kw, Cin, Cout]`, writes `y`
 * `[N, Ho, Wo, Cout]`; all f32. It is also the gradient of a transposed convolution by its input.
 *
 * An implicit matrix product of N·Ho·Wo rows, Cout columns and kh·kw·Cin steps.
 */
export function conv2dForward(target: KernelTarget, g: Conv2dGeometry): Kernel {
  return conv2dForwardFused(target, g, {}).kernel;
}

/** {@link conv2dForward} that loads its source and stores its result as `fusion` says. */
export function conv2dForwardFused(target: KernelTarget, g: Conv2dGeometry, fusion: TapFusion): TapKernel {
  const product = forwardProduct(g, fusion);
  const { kernel, partialCount } =
    target.family === "register" ? tapProductRegister(target, product) : tapProductWorkgroup(target, product);
  return {
    kernel: { ...kernel, flops: (fusion.layers?.count ?? 1) * tapFlops(g) * g.inChannels * product.channels },
    partialCount,
  };
}
