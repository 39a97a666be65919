/**
 * @file How layers are written: a layer is a function from tensors to a tensor that makes its variables under its
 * Keras name (`conv1/conv` owns `conv1/conv/kernel`).
 */

/** What every layer is told: two flags decide what it does, as in Keras. */
export interface Mode {
  /** The program is a training step: batch norms use the batch's statistics (unless they are frozen). */
  readonly training: boolean;
  /**
   * The layer's parameters are learned. A frozen layer costs no backward pass; a frozen batch norm runs in inference
   * mode even while training and leaves its moving statistics alone (Keras: `trainable = False`).
   */
  readonly trainable: boolean;
  /** What the layer's variables belong to; see `Variable.group`. */
  readonly group?: string | null | undefined;
}
