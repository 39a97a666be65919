import { z } from "zod";
import { AUGMENTATION_NAMES } from "../data/augment.ts";
import { MOST_CLASSES } from "../data/dataset.ts";
import { FORMAT_NAMES } from "../data/formats/names.ts";
import { ENCODER_NAMES } from "../layers/networks/encoders.ts";
import { choice, duration, rate, setting, text, toggle, whole } from "./setting.ts";

const CLASSES = `must be a whole number from 2 to ${MOST_CLASSES} or a file of names`;
const IGNORE_LABEL = "must be a whole number from 0 to 65535, or auto";
/** A whole number of a range; any other is refused with the same words. */
const between = (least: number, most: number, error: string): z.ZodNumber =>
  z.number({ error }).int(error).min(least, error).max(most, error);

/** How classes are weighed by their share of the pixels. */
const WEIGHTINGS = ["balanced", "sqrt", "enet"] as const;
export type Weighting = (typeof WEIGHTINGS)[number];

/** Whether `--class-weights` names a way of weighing, and not a file. */
export const isWeighting = (name: string): name is Weighting =>
  (WEIGHTINGS as readonly string[]).includes(name);

/**
 * Everything that decides a run. This one table gives the flags, the keys of a configuration file, `config.json`, the
 * documentation and the messages about values that cannot be used.
 */
export const schema = z.strictObject({
  preset: setting(
    "--preset NAME",
    "Run",
    "settings to begin from: the tutorial's recipe, or a first result within minutes",
    choice(["quick", "article"]),
  ),

  data: setting(
    "--data PATH",
    "Data",
    "photos and their labels: a folder, or the file of a labelling tool, in any of the formats of docs/data.md; none draws people in clothes",
    text().nullable(),
  ),
  format: setting(
    "--format NAME",
    "Data",
    "read --data as this format; none recognises it by its content",
    choice(FORMAT_NAMES).nullable(),
  ),
  classes: setting(
    "--classes N|FILE",
    "Data",
    "how many classes there are, background included, or a file that names them; none takes them from the data",
    z.union([between(2, MOST_CLASSES, CLASSES), text()], { error: CLASSES }).nullable(),
  ),
  labelMap: setting(
    "--label-map FILE",
    "Data",
    "lines from,to that merge and drop classes: a mask's number, colour #rrggbb or label, and the class it becomes, or ignore",
    text().nullable(),
  ),
  ignoreLabel: setting(
    "--ignore-label N|auto",
    "Data",
    "the number in masks of pixels that do not count, neither in the loss nor in any metric; auto: as the format has it, or " +
      "255 where it is the only number above the classes; none: every pixel counts",
    z.union([between(0, 65_535, IGNORE_LABEL), z.literal("auto")], { error: IGNORE_LABEL }).nullable(),
  ),
  imageSize: setting(
    "--image-size PIXELS",
    "Data",
    "side of the square photos, a multiple of 32; some encoders take no small ones (docs/encoders.md)",
    whole(32).multipleOf(
      32,
      "must be a multiple of 32, because the encoder halves a photo five times: 128, for example",
    ),
  ),
  maskInterpolation: setting(
    "--mask-interpolation KIND",
    "Data",
    "how masks are resized; bilinear (class numbers, truncated) invents classes along edges, as the tutorial does; auto: so for " +
      "the tutorial's 59 classes, and nearest for any others",
    choice(["nearest", "bilinear", "auto"]),
  ),
  lossyMasks: setting(
    "--lossy-masks",
    "Data",
    "take masks that are JPEG, lossy WebP or AVIF: such formats change the numbers, along edges most, and so invent classes",
    toggle(),
  ),
  normalization: setting(
    "--normalization KIND",
    "Data",
    "unit: pixels in [0, 1]; imagenet: besides less ImageNet's mean and over its standard deviation; keras: as the encoder's own " +
      "preprocess_input has them, which is what every encoder but DenseNet121 gets by default",
    choice(["unit", "imagenet", "keras"]),
  ),
  splitSeed: setting(
    "--split-seed N",
    "Data",
    "decides which fifth of the photos is for validation (scikit-learn's train_test_split), where the data have no split of their own",
    whole(0).max(0xffffffff, "must be at most 4294967295"),
  ),
  validationPhotos: setting(
    "--validation-photos N",
    "Data",
    "validate on the first so many of them; none for all",
    whole(1).nullable(),
  ),
  validationDropRemainder: setting(
    "--validation-drop-remainder",
    "Data",
    "leave out the last validation photos, which fill no batch, as the tutorial does",
    toggle(),
  ),
  augment: setting(
    "--augment LIST",
    "Data",
    `comma-separated: ${AUGMENTATION_NAMES.join(", ")}; none for no augmentation`,
    z
      .array(choice(AUGMENTATION_NAMES), { error: "must be a list of augmentations" })
      .min(1, "must name at least one augmentation, or be none")
      .nullable(),
  ),
  augmentMode: setting(
    "--augment-mode MODE",
    "Data",
    "copies: a whole copy of the training set for each augmentation; random: each one with probability 1/2",
    choice(["copies", "random"]),
  ),
  shuffleBuffer: setting(
    "--shuffle-buffer N",
    "Data",
    "shuffle as tf.data does, through a buffer of so many samples; none for a full shuffle",
    whole(1).nullable(),
  ),
  dropRemainder: setting(
    "--drop-remainder",
    "Data",
    "leave out the training samples that fill no batch at the end of a pass",
    toggle(),
  ),
  cache: setting("--cache", "Data", "keep the resized photos in .cache/samples for the next run", toggle()),
  cacheFeatures: setting(
    "--cache-features",
    "Data",
    "while the encoder is frozen, keep in memory what it makes of each photo, up to a quarter of what is free and 4 GiB: " +
      "the same bits, sooner where photos come again",
    toggle(),
  ),

  weights: setting(
    "--weights PATH",
    "Network",
    "to begin with, an encoder or a whole network: a .safetensors, .h5 or .keras file, or a tfjs folder; of a network of other " +
      "classes the head starts anew; none for random ones",
    text().nullable(),
  ),
  encoder: setting(
    "--encoder NAME",
    "Network",
    "the network of keras.applications that reads the photos, pretrained on ImageNet once `npm run fetch -- --encoder NAME` has " +
      "brought its weights: docs/encoders.md",
    choice(ENCODER_NAMES),
  ),
  decoder: setting(
    "--decoder KIND",
    "Network",
    "upsampling by transposed convolutions (pix2pix) or by nearest neighbour and convolution",
    choice(["transpose", "nearest"]),
  ),
  freeze: setting(
    "--freeze PART",
    "Network",
    "what the first phase leaves as it is, statistics included: the encoder; with decoder the encoder and the decoder, so that " +
      "the head learns alone, as after --weights of other classes; with none nothing. The second phase trains everything",
    choice(["encoder", "decoder", "none"]),
  ),
  bnMomentum: setting(
    "--bn-momentum M",
    "Network",
    "share of their moving statistics that all batch norms keep in a step, encoder and decoder; none for each layer's own, as " +
      "Keras has it (docs/encoders.md)",
    z
      .number({ error: "must be a number, or none" })
      .min(0, "must be at least 0")
      .lt(1, "must be below 1")
      .nullable(),
  ),

  optimizer: setting("--optimizer NAME", "Optimization", "as Keras has them", choice(["rmsprop", "adam"])),
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
  schedule: setting(
    "--schedule KIND",
    "Optimization",
    "the learning rate over each phase: constant, or falling to 0 along a cosine",
    choice(["constant", "cosine"]),
  ),
  warmupSteps: setting(
    "--warmup-steps N",
    "Optimization",
    "steps over which each phase's learning rate rises from 0",
    whole(0),
  ),
  clipNorm: setting(
    "--clip-norm NORM",
    "Optimization",
    "scale gradients down to this global norm; none for no clipping",
    z.number({ error: "must be a number" }).gt(0, "must be above 0").nullable(),
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
      "weights, statistics, sums and the loss stay f32, and the loss is scaled",
    choice(["f32", "f16"]),
  ),

  batchSize: setting("--batch-size N", "Length of the run", "photos a step", whole(1)),
  accumulate: setting(
    "--accumulate N",
    "Length of the run",
    "micro-batches a step, to take less memory: gradients of N batches of batch-size/N photos are averaged before the " +
      "update; batch norms see the micro-batch, and their moving statistics move N times a step",
    whole(1),
  ),
  epochsFrozen: setting(
    "--epochs-frozen N",
    "Length of the run",
    "epochs of the first phase, with a part of the network frozen (--freeze)",
    whole(0),
  ),
  epochsFinetune: setting(
    "--epochs-finetune N",
    "Length of the run",
    "epochs of the second phase, with everything trained",
    whole(0),
  ),
  stepsPerEpoch: setting(
    "--steps-per-epoch N",
    "Length of the run",
    "none for as many as the training photos, augmentation aside, fill batches",
    whole(1).nullable(),
  ),
  monitor: setting(
    "--monitor NAME",
    "Length of the run",
    "the column of history.csv that decides which epoch is best (checkpoint best) and what --patience waits for; val_loss " +
      "falls, the others rise; auto: val_mean_iou where background (class 0) has more than half of the validation pixels, " +
      "else val_accuracy",
    choice(["auto", "val_accuracy", "val_mean_iou", "val_dice", "val_fw_iou", "val_loss"]),
  ),
  patience: setting(
    "--patience N",
    "Length of the run",
    "end a phase when what --monitor names has not become better for so many epochs; none for never",
    whole(1).nullable(),
  ),
  maxSteps: setting(
    "--max-steps N",
    "Length of the run",
    "end the run after so many steps in all; none for no such limit",
    whole(1).nullable(),
  ),
  time: setting(
    "--time TIME",
    "Length of the run",
    "end the run after 45s, 30m, 1.5h of training; none for no such limit",
    duration().nullable(),
  ),
  overfitBatch: setting(
    "--overfit-batch",
    "Length of the run",
    "train and validate on one batch, again and again: a network that can learn gets it right",
    toggle(),
  ),

  seed: setting(
    "--seed N",
    "Run",
    "decides first weights, order and augmentation: the same seed on the same adapter gives the same bits",
    whole(0).max(0xffffffff, "must be at most 4294967295"),
  ),
  deterministic: setting(
    "--deterministic",
    "Run",
    "make the first step twice before training and refuse an adapter that gives other bits the second time",
    toggle(),
  ),
  adapter: setting(
    "--adapter NAME",
    "Run",
    "hardware, lavapipe, swiftshader, or a part of an adapter's name; none for the best there is",
    text().nullable(),
  ),
  tune: setting(
    "--tune MODE",
    "Run",
    "time the matrix products in several tiles before training, 10 seconds on hardware and minutes on a CPU, and take the " +
      "fastest; auto: on hardware only; off, as --no-tune: the default tiles. Measurements stay in .cache/tuning, and other " +
      "tiles may give other last bits",
    choice(["auto", "on", "off"]),
  ),
  allowSoftware: setting(
    "--allow-software",
    "Run",
    "take an adapter that runs on the CPU even for a run that would take it more than half a day",
    toggle(),
  ),
  name: setting(
    "--name NAME",
    "Run",
    "the run goes to runs/NAME-1, runs/NAME-2 …",
    text().regex(/^[\w.-]+$/, "must be made of letters, digits, dots, dashes and underscores"),
  ),
  out: setting("--out DIR", "Run", "the run goes to this folder instead", text().nullable()),
  saveEvery: setting(
    "--save-every N",
    "Run",
    "keep a checkpoint of every so many epochs besides the last and the best; none to keep only these",
    whole(1).nullable(),
  ),
  tensorboard: setting("--tensorboard", "Run", "write TensorBoard event files", toggle()),
});

/** Every setting of a run, resolved. */
export type TrainConfig = z.infer<typeof schema>;

/** What somebody has said of some settings, not yet checked. */
export type Said = { readonly [Key in keyof TrainConfig]?: unknown };

export type SettingName = keyof TrainConfig;
export const SETTING_NAMES = Object.keys(schema.shape) as SettingName[];

/** Whether there is a setting of that name. `in` would also find what every object has, such as `toString`. */
export const isSetting = (name: string): name is SettingName => Object.hasOwn(schema.shape, name);
