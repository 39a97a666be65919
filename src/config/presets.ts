import { parseSize } from "../image-size.ts";
import { AUGMENTATION_SETS } from "../data/augment.ts";
import type { Encoder } from "../layers/networks/encoder.ts";
import { DEFAULT_ENCODER } from "../layers/networks/encoders.ts";
import { smallestSide } from "../layers/networks/image-size.ts";
import type { TrainConfig } from "./schema.ts";

/** What an adapter is, as far as the size of a run is concerned. */
export type AdapterKind = "hardware" | "lavapipe" | "swiftshader" | "software";

export type PresetName = TrainConfig["preset"];

/** The tutorial's recipe to the letter; docs/tutorial.md walks through it. */
const article: TrainConfig = {
  preset: "article",
  data: null,
  imageSize: 128,
  resize: "stretch",
  format: null,
  classes: null,
  labelMap: null,
  ignoreLabel: "auto",
  maskInterpolation: "auto",
  lossyMasks: false,
  normalization: "unit",
  splitSeed: 0,
  validationPhotos: null,
  validationDropRemainder: true,
  augment: ["original", "brightness", "gamma", "hue", "crop", "flip_left_right", "flip_up_down"],
  augmentMode: "copies",
  crop: null,
  scale: null,
  shuffleBuffer: 1000,
  dropRemainder: false,
  cache: true,
  cacheFeatures: false,
  weights: null,
  encoder: DEFAULT_ENCODER.name,
  decoder: "transpose",
  headBias: "zeros",
  freeze: "encoder",
  encoderStatistics: "batch",
  bnMomentum: null,
  bnReestimate: 0,
  optimizer: "rmsprop",
  weightDecay: 0,
  sgdMomentum: 0.9,
  nesterov: false,
  learningRate: 1e-3,
  finetuneLearningRate: 1e-3,
  encoderRateScale: 1,
  schedule: "constant",
  warmupSteps: 0,
  clipNorm: null,
  ema: null,
  loss: "cross-entropy",
  labelSmoothing: 0,
  focalGamma: 2,
  tverskyAlpha: 0.3,
  tverskyBeta: 0.7,
  classWeights: "none",
  precision: "f32",
  batchSize: 64,
  accumulate: 1,
  wire: "f32",
  syncBatchNorm: false,
  epochsFrozen: 20,
  epochsFinetune: 20,
  stepsPerEpoch: null,
  budget: null,
  monitor: "auto",
  patience: null,
  maxSteps: null,
  time: null,
  overfitBatch: false,
  seed: 0,
  deterministic: false,
  adapter: null,
  adapters: null,
  tune: "auto",
  allowSoftware: false,
  name: "train",
  out: null,
  saveEvery: null,
  tensorboard: true,
};

/**
 * A first result within minutes, without the tutorial's quirks: photos prepared as the encoder saw them on ImageNet, a head
 * that begins with the classes' frequencies, a decoder without checkerboards, a loss that heeds rare classes, AdamW with a rate that
 * falls along half a cosine. Short runs need a smaller momentum: 0.99 takes some 250 steps until the moving statistics mean anything.
 */
const quick: TrainConfig = {
  ...article,
  preset: "quick",
  normalization: "imagenet",
  decoder: "nearest",
  headBias: "frequencies",
  loss: "dice-cross-entropy",
  optimizer: "adamw",
  weightDecay: 0.004,
  schedule: "cosine",
  maskInterpolation: "nearest",
  validationDropRemainder: false,
  augment: ["flip_left_right"],
  augmentMode: "random",
  shuffleBuffer: null,
  dropRemainder: true,
  batchSize: 16,
  epochsFrozen: 6,
  epochsFinetune: 4,
  stepsPerEpoch: 25,
  finetuneLearningRate: 1e-4,
  bnMomentum: 0.9,
};

/**
 * The best accuracy within an hour of a real GPU, chosen by what is known to help in the field: not measured on hardware yet. Beside
 * `quick`: larger photos of a standing person's proportions, strong augmentations, Dice besides the cross-entropy, most of the time for
 * fine-tuning along one cycle, the encoder at a tenth of the rate, averaged weights. The hour is one of any GPU's: a slower one makes fewer steps.
 */
const best: TrainConfig = {
  ...quick,
  preset: "best",
  imageSize: "384x256",
  resize: "letterbox",
  augment: [...AUGMENTATION_SETS.strong],
  schedule: "one-cycle",
  finetuneLearningRate: 5e-4,
  encoderRateScale: 0.1,
  clipNorm: 1,
  ema: 0.999,
  bnMomentum: null,
  epochsFrozen: 4,
  epochsFinetune: 26,
  stepsPerEpoch: null,
  budget: 3600,
};

/**
 * `best` where the CPU does the work: an hour affords small photos, of the same proportions, and batches of few, whose statistics are worth
 * less than ImageNet's.
 */
const bestOnCpu: Partial<TrainConfig> = {
  imageSize: "96x64",
  batchSize: 4,
  encoderStatistics: "moving",
  // Of some hundred steps.
  bnMomentum: 0.9,
  epochsFrozen: 8,
  epochsFinetune: 4,
};
/** `best` without pretrained weights: nothing is worth freezing for long, and the encoder has as much to learn as the others. */
const bestFromScratch: Partial<TrainConfig> = {
  epochsFrozen: 1,
  epochsFinetune: 29,
  finetuneLearningRate: 1e-3,
  encoderRateScale: 1,
  encoderStatistics: "batch",
};

/**
 * `quick` sized to adapters that run on the CPU; SwiftShader has about a quarter of lavapipe's speed. With few photos to
 * afford, many small batches teach more than few large ones. The encoder stays frozen: in some 50 steps of so few photos the statistics of
 * its norms lose more than its weights learn (docs/recipes.md).
 */
const onLavapipe: Partial<TrainConfig> = {
  imageSize: 64,
  batchSize: 4,
  learningRate: 2e-3,
  epochsFrozen: 6,
  epochsFinetune: 0,
  stepsPerEpoch: 50,
  finetuneLearningRate: 3e-5,
  validationPhotos: 48,
};
const onSwiftShader: Partial<TrainConfig> = {
  ...onLavapipe,
  imageSize: 32,
  epochsFrozen: 4,
  stepsPerEpoch: 20,
};

/** `quick` with pretrained weights: what the adapter at hand can do in six minutes. */
const inSixMinutes: Partial<TrainConfig> = { stepsPerEpoch: null, budget: 360 };
/** In that time a GPU passes over few photos so often that they must not look the same each time. */
const onHardware: Partial<TrainConfig> = { ...inSixMinutes, augment: [...AUGMENTATION_SETS.strong] };

/**
 * `quick` without pretrained weights: an encoder of random numbers is worth nothing frozen and has nothing to lose, so most
 * of the time goes to training everything, at the full rate.
 */
const fromScratch: Partial<TrainConfig> = {
  epochsFrozen: 1,
  epochsFinetune: 2,
  learningRate: 1e-3,
  finetuneLearningRate: 1e-3,
};

/** A preset's values for an adapter, with pretrained weights or without. */
export function preset(name: PresetName, adapter: AdapterKind, pretrained: boolean): TrainConfig {
  if (name === "article") return article;
  if (name === "best")
    return { ...best, ...(adapter === "hardware" ? {} : bestOnCpu), ...(pretrained ? {} : bestFromScratch) };
  if (adapter === "hardware") return { ...quick, ...(pretrained ? onHardware : fromScratch) };
  const onCpu = adapter === "lavapipe" ? onLavapipe : onSwiftShader;
  return { ...quick, ...onCpu, ...(pretrained ? inSixMinutes : fromScratch) };
}

/** A preset's values with an encoder: its own preparation of photos, but for the tutorial's encoder, and no smaller ones than it takes. */
export function withEncoder(values: TrainConfig, encoder: Encoder): TrainConfig {
  if (encoder === DEFAULT_ENCODER) return values;
  const { height, width } = parseSize(values.imageSize)!;
  const imageSize = Math.max(height, width, smallestSide(encoder));
  return { ...values, encoder: encoder.name, normalization: "keras", imageSize };
}

/** A preset's values with an optimizer: AdamW's weight decay as Keras has it, none with others. */
export const withOptimizer = (values: TrainConfig, optimizer: TrainConfig["optimizer"]): TrainConfig => ({
  ...values,
  optimizer,
  weightDecay: optimizer === "adamw" ? 0.004 : 0,
});

/** The preset that an adapter gets when none is asked for. */
export const defaultPreset = (adapter: AdapterKind): PresetName =>
  adapter === "hardware" ? "article" : "quick";
