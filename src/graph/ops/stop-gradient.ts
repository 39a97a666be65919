import type { Tensor } from "../graph.ts";
import type { DType } from "../shape.ts";

/**
 * `x` itself, any shape and type, which counts as a constant to the gradient (`tf.stop_gradient`): nothing behind it gets one
 * by this way. It is never computed and takes no memory.
 */
export function stopGradient<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.graph.apply({ name: "stop_gradient", outputs: [x], constants: [x], identity: true }, [x])
    .outputs[0];
}
