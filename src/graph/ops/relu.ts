import type { Tensor } from "../graph.ts";
import { activation } from "./activation.ts";
import type { DType } from "../shape.ts";

/**
 * `max(x, 0)`, elementwise, any shape (`tf.nn.relu`).
 *
 * @throws Error when x is u32.
 */
export const relu = <D extends DType>(x: Tensor<D>): Tensor<D> => activation(x, "relu");
