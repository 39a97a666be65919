import type { VerifyFlags } from "../definitions/verify.ts";
import { verifyOutputs } from "../verify-outputs.ts";

/** `queue verify`, which asks no Redis. */
export const run = (flags: VerifyFlags, interrupted: AbortSignal, [out]: [string]): Promise<void> =>
  verifyOutputs(out, flags, interrupted);
