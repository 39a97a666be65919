/** What activations can be stored in, the default first. */
export const PRECISIONS = ["f32", "f16"] as const;

/**
 * `f16` stores activations and their gradients in half precision. Weights, their gradients, statistics, sums and the loss stay
 * f32, and where it is trained the loss is scaled (see `lossScaling`).
 */
export type Precision = (typeof PRECISIONS)[number];

/** What is wrong with what somebody gave for a precision; who asks for bfloat16 is told why there is none. */
export const precisionProblem = (given: unknown): string =>
  `must be one of ${PRECISIONS.join(", ")}${given === "bf16" ? ", since WGSL, which the kernels are written in, has no bf16" : ""}`;
