/** @file Which layers may become one op with their neighbours, or change places with them; `build.ts` does so. */
import type { LayerOperation, OperationOf } from "./layer.ts";

/** Whether an average pooling may be done before it. */
export const isPointwise = ({ kernelSize, strides, useBias }: OperationOf<"Conv2D">): boolean =>
  kernelSize.every((extent) => extent === 1) && strides === 1 && !useBias;

/** Whether a convolution is one op with the upsampling before it. */
export const readsUpsampled = ({ kernelSize, strides, padding }: OperationOf<"Conv2D">): boolean =>
  kernelSize.every((extent) => extent === 3) && strides === 1 && padding === "same";

/** Whether the op of a layer may take two images for one, joined along their channels. */
export const takesPair = ({ kind }: LayerOperation): boolean =>
  kind === "Conv2DTranspose" || kind === "UpSampling2D";

/** Whether the op of a layer puts zeros around its images itself. */
export const takesPadding = (operation: LayerOperation): boolean =>
  WINDOWS.has(operation.kind) && "padding" in operation && operation.padding === "valid";

const WINDOWS: ReadonlySet<LayerOperation["kind"]> = new Set([
  "Conv2D",
  "DepthwiseConv2D",
  "SeparableConv2D",
  "MaxPooling2D",
  "AveragePooling2D",
]);
