import type { Tensor } from "../graph.ts";
import { activation } from "./activation.ts";

/** `max(x, 0)`, elementwise, any shape (`tf.nn.relu`). */
export const relu = (x: Tensor): Tensor => activation(x, "relu");
