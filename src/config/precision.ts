import { z } from "zod";

/** What activations can be stored in, the default first. */
export const PRECISIONS = ["f32", "f16"] as const;

/**
 * `f16` stores activations and their gradients in half precision. Weights, their gradients, statistics, sums and the loss stay
 * f32, and where it is trained the loss is scaled (see `lossScaling`).
 */
export type Precision = (typeof PRECISIONS)[number];

/** One of {@link PRECISIONS}; who asks for bfloat16 is told why there is none. */
export const precision = (): z.ZodEnum<{ [Name in Precision]: Name }> =>
  z.enum(PRECISIONS, {
    error: ({ input }) =>
      `must be one of ${PRECISIONS.join(", ")}${input === "bf16" ? ", since WGSL, which the kernels are written in, has no bf16" : ""}`,
  });
