/** @file The choices that an ablation tries, each against the recipe that it changes. */
import type { Said, TrainConfig } from "../../src/config/index.ts";

/** One choice: a run that differs from the recipe in this alone. */
export interface AblationRow {
  /** Of its folder, and for `--only`: small letters, digits and dashes. */
  readonly name: string;
  /** What it changes, for the table. */
  readonly what: string;
  /** The settings that it changes, by their keys, from those of the recipe. */
  readonly settings: (recipe: TrainConfig) => Said;
}

const row = (name: string, what: string, settings: AblationRow["settings"] | Said): AblationRow => ({
  name,
  what,
  settings: typeof settings === "function" ? settings : () => settings,
});

const epochs = ({ epochsFrozen, epochsFinetune }: TrainConfig): number => epochsFrozen + epochsFinetune;

/** The rows of `npm run ablate`, the recipe itself first. */
export const ROWS: readonly AblationRow[] = [
  row("recipe", "nothing", {}),
  row("unit", "pixels in [0, 1] (`--normalization unit`)", { normalization: "unit" }),
  row("transpose", "transposed convolutions (`--decoder transpose`)", { decoder: "transpose" }),
  row("bilinear", "bilinear upsampling before convolutions (`--decoder bilinear`)", { decoder: "bilinear" }),
  row("zero-bias", "a head's bias of zeros (`--head-bias zeros`)", { headBias: "zeros" }),
  row("constant", "a constant rate (`--schedule constant`)", { schedule: "constant" }),
  row("one-cycle", "a rate that rises and falls (`--schedule one-cycle`)", { schedule: "one-cycle" }),
  row("rmsprop", "RMSprop at a constant rate", { optimizer: "rmsprop", schedule: "constant" }),
  row("sgd", "SGD with Nesterov's momentum, at ten times the rate", (recipe) => ({
    ...{ optimizer: "sgd", nesterov: true, weightDecay: 1e-4 },
    learningRate: Math.min(1, 10 * recipe.learningRate),
    finetuneLearningRate: Math.min(1, 10 * recipe.finetuneLearningRate),
  })),
  row("ema", "averaged weights (`--ema 0.99`)", { ema: 0.99 }),
  row("cross-entropy", "the cross-entropy alone (`--loss cross-entropy`)", { loss: "cross-entropy" }),
  row("frozen", "all epochs with the encoder frozen", (recipe) => ({
    ...{ epochsFrozen: epochs(recipe), epochsFinetune: 0 },
  })),
  row("finetuned", "half of the epochs fine-tuning", (recipe) => ({
    epochsFrozen: Math.ceil(epochs(recipe) / 2),
    epochsFinetune: Math.floor(epochs(recipe) / 2),
  })),
  row("finetuned-moving", "the same, the encoder's norms by their moving statistics", (recipe) => ({
    epochsFrozen: Math.ceil(epochs(recipe) / 2),
    epochsFinetune: Math.floor(epochs(recipe) / 2),
    encoderStatistics: "moving",
  })),
  row("half-batch", "half as many photos a step", ({ batchSize }) => ({
    batchSize: Math.max(1, Math.floor(batchSize / 2)),
  })),
  row("double-batch", "twice as many photos a step", ({ batchSize }) => ({ batchSize: 2 * batchSize })),
  row("bn-reestimate", "moving statistics estimated anew (`--bn-reestimate 20`)", { bnReestimate: 20 }),
  row("no-augment", "no augmentation", { augment: null }),
  row("strong", "`--augment strong`, or mirrored photos alone where the recipe has it", ({ augment }) => ({
    augment: augment !== null && augment.length > 1 ? ["flip_left_right"] : ["strong"],
  })),
  row("cache-features", "features cached (`--cache-features`): the same but for more steps", {
    cacheFeatures: true,
  }),
];
