/** What an adapter is, as far as the size of a run is concerned. */
export type AdapterKind = "hardware" | "lavapipe" | "swiftshader" | "software";

/** What a preset decides; every value can be overridden by its flag. */
export interface Preset {
  readonly imageSize: number;
  readonly batchSize: number;
  readonly epochsFrozen: number;
  readonly epochsFinetune: number;
  readonly stepsPerEpoch: number;
  readonly learningRate: number;
  readonly finetuneLearningRate: number;
  /** Of the batch norms' moving statistics. */
  readonly momentum: number;
  /** Photos to validate on at most; the first of the split's validation photos. */
  readonly validationPhotos: number;
}

/** The tutorial's: 800 training photos make 12 steps of 64, both phases at RMSprop's default rate. */
const article: Preset = {
  imageSize: 128,
  batchSize: 64,
  epochsFrozen: 20,
  epochsFinetune: 20,
  stepsPerEpoch: 12,
  learningRate: 1e-3,
  finetuneLearningRate: 1e-3,
  momentum: 0.99,
  validationPhotos: 200,
};

/**
 * A first result within minutes. Short runs need a smaller momentum (0.99 takes some 250 steps until the moving
 * statistics mean anything) and a gentler rate for fine-tuning: a fresh RMSprop begins with steps of about three times
 * its learning rate for every weight of the pretrained encoder, and a short run has no time to recover from them.
 */
const quick: Preset = {
  ...article,
  batchSize: 16,
  epochsFrozen: 6,
  epochsFinetune: 4,
  stepsPerEpoch: 25,
  finetuneLearningRate: 1e-4,
  momentum: 0.9,
};

/**
 * `quick` sized to adapters that run on the CPU; SwiftShader has about a quarter of lavapipe's speed. With few photos to
 * afford, many small batches teach more than few large ones.
 */
const onLavapipe: Partial<Preset> = {
  imageSize: 64,
  batchSize: 4,
  epochsFrozen: 4,
  epochsFinetune: 1,
  stepsPerEpoch: 50,
  finetuneLearningRate: 3e-5,
  validationPhotos: 48,
};
const onSwiftShader: Partial<Preset> = { ...onLavapipe, imageSize: 32, epochsFrozen: 3, stepsPerEpoch: 20 };

/**
 * `quick` without pretrained weights: an encoder of random numbers is worth nothing frozen and has nothing to lose, so most
 * of the time goes to training everything, at the full rate.
 */
const fromScratch: Partial<Preset> = { epochsFrozen: 1, epochsFinetune: 2, finetuneLearningRate: 1e-3 };

/** A preset's values for an adapter, with pretrained weights or without. */
export function preset(name: "quick" | "article", adapter: AdapterKind, pretrained: boolean): Preset {
  if (name === "article") return article;
  const onCpu = adapter === "lavapipe" ? onLavapipe : onSwiftShader;
  return { ...quick, ...(adapter === "hardware" ? {} : onCpu), ...(pretrained ? {} : fromScratch) };
}
