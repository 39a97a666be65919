export { adjustBrightness, adjustGamma, adjustHue } from "./augment/colour.ts";
export { centralCrop, flipLeftRight, flipUpDown, rot90 } from "./augment/geometry.ts";
export type { MaskInterpolation } from "./augment/geometry.ts";
export { applySteps, noAugmentation, randomFlipLeftRight, randomly } from "./augment/random.ts";
export type { Augmentation, AugmentationSteps } from "./augment/random.ts";
export { AUGMENTATION_NAMES, AUGMENTATIONS } from "./augment/registry.ts";
export type { AugmentationName, AugmentationOptions } from "./augment/registry.ts";
