import { classificationCases } from "./cases/classification.ts";
import { convolutionCases } from "./cases/convolution.ts";
import { elementwiseCases } from "./cases/elementwise.ts";
import { lossCases } from "./cases/losses.ts";
import { normalizationCases } from "./cases/normalization.ts";
import { optimizerCases } from "./cases/optimizer.ts";
import { poolingCases } from "./cases/pooling.ts";
import type { KernelCase } from "./kernel-case.ts";

/** Every op, each at an odd and an even shape. */
export const kernelCases: readonly KernelCase[] = [
  ...convolutionCases,
  ...normalizationCases,
  ...elementwiseCases,
  ...poolingCases,
  ...classificationCases,
  ...lossCases,
  ...optimizerCases,
];
