/**
 * @file What `import … from "bespoke/layers"` gives: Keras layers, which make their variables themselves. Imports nothing of
 * Node's.
 */
export { batchNormalization } from "./layers/batch-normalization.ts";
export type { BatchNormalizationOptions } from "./layers/batch-normalization.ts";
export type { Mode } from "./layers/layer.ts";
