import { u32 } from "../kernel.ts";
import type { Kernel, KernelTarget } from "../kernel.ts";
import { perItemKernel } from "../text/per-item.ts";
import type { Conv2dGeometry } from "./geometry.ts";
import { weightsProductRegister } from "./weights-product-register.ts";
import { weightsProductWorkgroup } from "./weights-product-workgroup.ts";
import { weightsProduct } from "./weights-product.ts";
import type { WeightsFusion, WeightsKernel } from "./weights-product.ts";

/**
 * Gradient of a 2-D convolution by its kernel (`tf.nn.conv2d_backprop_filter`): reads `x` `[N, H, W, Cin]` and `dy`
 * `[N, Ho, Wo, Cout]`, writes `dw` `[.., kh, kw, Cin, Cout]`; all f32. With the roles of `x` and `dy` swapped it is the
 * gradient of a transposed convolution by its kernel.
 *
 * The sum over all pixels is cut into `splits` partial sums. With one split `dw` is the gradient; otherwise `dw` is a
 * scratch buffer `[splits, kh, kw, Cin, Cout]` for {@link sumPartials}. Where the caller cuts the batch in slices, each is
 * such a gradient of its own, and `sumPartials` accumulates them.
 */
export function conv2dBackwardWeights(
  target: KernelTarget,
  g: Conv2dGeometry,
  fusion: WeightsFusion = {},
): WeightsKernel {
  const product = weightsProduct(g, fusion);
  const { partial, splits, count } =
    target.family === "register"
      ? weightsProductRegister(target, product)
      : weightsProductWorkgroup(target, product);
  const flops = 2 * count * g.batch * g.outHeight * g.outWidth;
  return { partial: { ...partial, flops }, splits, count };
}

/**
 * Sums `partials` `[splits, count]` over the splits, in their order, to `dw` `[count]`, or with `accumulate` adds them to
 * what `dw` holds; all f32.
 */
export function sumPartials(
  target: KernelTarget,
  count: number,
  splits: number,
  { accumulate = false }: { accumulate?: boolean } = {},
): Kernel {
  return perItemKernel(target, count, {
    label: "conv2d_sum_partials",
    read: { partials: "array<f32>" },
    write: { dw: "array<f32>" },
    params: { splits: u32(splits), accumulate: u32(accumulate ? 1 : 0) },
    body: /* wgsl */ `
  var sum = 0.0;
  if (params.accumulate == 1u) { sum = load_dw(index); }
  for (var split = 0u; split < params.splits; split++) { sum += load_partials(split * params.count + index); }
  store_dw(index, sum);`,
  });
}
