import { glorotUniform, zeros } from "../../graph/initializers.ts";
import type { Initializer } from "../../graph/initializers.ts";
import { floats } from "../../graph/ops/elementwise.ts";
import { rowsProduct } from "../../graph/ops/rows-product.ts";
import { shapeText } from "../../graph/shape.ts";
import { activated } from "./activation.ts";
import type { Activation } from "./activation.ts";
import { checkCount, defineLayer } from "./layer.ts";
import type { Layer, LayerOptions } from "./layer.ts";

/** What all layers with a kernel take. */
export interface KernelOptions extends LayerOptions {
  /** What is applied to the result; `linear` by default. */
  readonly activation?: Activation | undefined;
  /** Whether a bias is added, as by default. */
  readonly useBias?: boolean | undefined;
  /** `glorotUniform` by default. */
  readonly kernelInitializer?: Initializer | undefined;
  /** `zeros` by default. */
  readonly biasInitializer?: Initializer | undefined;
}

/**
 * Keras `Dense`: activation(x·kernel + bias) over the last axis, `[N, .., K]` to `[N, .., units]`, with `kernel` `[K, units]` and
 * `bias` `[units]`.
 *
 * @throws Error when `units` is no whole number from 1; when it is applied to a tensor without a batch, or of u32.
 */
export function dense(
  units: number,
  {
    activation,
    useBias = true,
    kernelInitializer = glorotUniform,
    biasInitializer = zeros,
    ...options
  }: KernelOptions = {},
): Layer {
  checkCount("dense", "units", units);
  return defineLayer("dense", options, (x, scope) => {
    if (x.shape.length < 2)
      throw new Error(`dense takes a batch [N, .., K]; "${x.name}" is ${shapeText(x.shape)}.`);
    floats("dense", x);
    const [inputs] = x.shape.slice(-1);
    const kernel = scope.parameter("kernel", [inputs, units], kernelInitializer);
    const bias = useBias ? scope.parameter("bias", [units], biasInitializer) : undefined;
    return activated(rowsProduct(x, kernel, bias), activation);
  });
}
