import { z } from "zod";
import { precisionProblem, PRECISIONS } from "../precision.ts";
import { WIRES } from "../wire.ts";
import { choice, rate, setting, text, toggle, whole } from "../setting.ts";

/** How classes are weighed by their share of the pixels. */
const WEIGHTINGS = ["balanced", "sqrt", "enet"] as const;
export type Weighting = (typeof WEIGHTINGS)[number];

/** Whether `--class-weights` names a way of weighing, and not a file. */
export const isWeighting = (name: string): name is Weighting =>
  (WEIGHTINGS as readonly string[]).includes(name);

const EMA = "must be above 0 and below 1, 0.999 for example, or none";

/** The loss, and how it is made small. */
export const optimizationSettings = {
  optimizer: setting(
    "--optimizer NAME",
    "Optimization",
    "as Keras 3 has them, in both phases; adamw and sgd have decoupled weight decay",
    choice(["rmsprop", "adam", "adamw", "sgd"]),
  ),
  weightDecay: setting(
    "--weight-decay SHARE",
    "Optimization",
    "of adamw and sgd: what a step takes of every kernel, times the learning rate; biases and the norms' γ and β have none; " +
      "for adamw 0.004 unless it is said",
    z.number({ error: "must be a number" }).min(0, "must be at least 0").lt(1, "must be below 1"),
  ),
  sgdMomentum: setting(
    "--sgd-momentum M",
    "Optimization",
    "share of its velocity that sgd keeps in a step",
    z.number({ error: "must be a number" }).min(0, "must be at least 0").lt(1, "must be below 1"),
  ),
  nesterov: setting(
    "--nesterov",
    "Optimization",
    "let sgd look ahead along its velocity (Nesterov's momentum)",
    toggle(),
  ),
  learningRate: setting(
    "--learning-rate RATE",
    "Optimization",
    "of the first phase; given alone it scales the other phase's with it",
    rate(),
  ),
  finetuneLearningRate: setting(
    "--finetune-learning-rate RATE",
    "Optimization",
    "of the fine-tuning phase",
    rate(),
  ),
  encoderRateScale: setting(
    "--encoder-rate-scale SHARE",
    "Optimization",
    "the encoder's learning rate as a share of the decoder's and the head's, in every phase that trains it",
    rate(),
  ),
  schedule: setting(
    "--schedule KIND",
    "Optimization",
    "the learning rate over each phase: constant; falling to 0 along a cosine, or as DeepLab has it along a power of 0.9; rising " +
      "and falling once (docs/optimization.md)",
    choice(["constant", "cosine", "poly", "one-cycle"]),
  ),
  warmupSteps: setting(
    "--warmup-steps N",
    "Optimization",
    "steps over which each phase's learning rate rises from 0 before its schedule begins; one-cycle rises by itself",
    whole(0),
  ),
  clipNorm: setting(
    "--clip-norm NORM",
    "Optimization",
    "scale gradients down to this global norm; none for no clipping",
    z.number({ error: "must be a number" }).gt(0, "must be above 0").nullable(),
  ),
  ema: setting(
    "--ema DECAY",
    "Optimization",
    "validate, keep and use an exponential moving average of the weights and moving statistics, which keeps this share of itself in a " +
      "step, less in the first ones; none for the weights themselves (docs/optimization.md)",
    z.number({ error: EMA }).gt(0, EMA).lt(1, EMA).nullable(),
  ),
  loss: setting(
    "--loss NAME",
    "Optimization",
    "what is made small, in training and validation: the cross-entropy; soft Dice, alone or besides it; focal (Lin et al. 2017); " +
      "Tversky (Salehi et al. 2017); Lovász-Softmax (Berman et al. 2018). Dice, Tversky and Lovász look at a whole batch, " +
      "a micro-batch with --accumulate, and at each class that it has alike: docs/losses.md",
    choice(["cross-entropy", "dice", "dice-cross-entropy", "focal", "tversky", "lovasz"]),
  ),
  labelSmoothing: setting(
    "--label-smoothing S",
    "Optimization",
    "of the cross-entropies: the truth is 1 − S of its class and S spread evenly over all, as Keras has it",
    z.number({ error: "must be a number" }).min(0, "must be at least 0").lt(1, "must be below 1"),
  ),
  focalGamma: setting(
    "--focal-gamma GAMMA",
    "Optimization",
    "how much less the focal loss counts what is nearly right; 0 is the cross-entropy",
    z.number({ error: "must be a number" }).min(0, "must be at least 0"),
  ),
  tverskyAlpha: setting(
    "--tversky-alpha ALPHA",
    "Optimization",
    "what the Tversky loss counts a false positive",
    z.number({ error: "must be a number" }).min(0, "must be at least 0"),
  ),
  tverskyBeta: setting(
    "--tversky-beta BETA",
    "Optimization",
    "what the Tversky loss counts a false negative",
    z.number({ error: "must be a number" }).gt(0, "must be above 0"),
  ),
  classWeights: setting(
    "--class-weights KIND|FILE",
    "Optimization",
    "weigh each pixel's cross-entropy or focal loss by its class: balanced as scikit-learn has it, sqrt, the square root of that, enet, " +
      "1 / ln(1.02 + share of the pixels) (Paszke et al. 2016), or a file of lines such as hat,2.5 or 40,2.5, one for each class; none for no weights",
    z.union([choice(["none", ...WEIGHTINGS]), text()], {
      error: `must be one of none, ${WEIGHTINGS.join(", ")}, or a file of weights`,
    }),
  ),
  precision: setting(
    "--precision TYPE",
    "Optimization",
    "what activations and their gradients are stored in: f16 takes half the memory and traffic, where the adapter has it; " +
      "weights, statistics, sums and the loss stay f32, and the loss is scaled (WGSL has no bf16)",
    z.enum(PRECISIONS, { error: ({ input }) => precisionProblem(input) }),
  ),
  wire: setting(
    "--wire TYPE",
    "Optimization",
    "of several ranks, what gradients travel as: f16 is half the bytes, rounded once on the way to their sum, which is made in f32, and once on the " +
      "way back (docs/scale.md)",
    choice(WIRES),
  ),
  syncBatchNorm: setting(
    "--sync-batch-norm",
    "Optimization",
    "of several ranks, let batch norms that are trained normalize by the micro-batches of all, one of each, as PyTorch's SyncBatchNorm does: " +
      "the GPU stops twice for each of them (docs/scale.md)",
    toggle(),
  ),
};
