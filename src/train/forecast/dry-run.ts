import { isRandom, traitsOf } from "../../data/augment.ts";
import { NORMALIZATION_TEXTS } from "../../data/normalize.ts";
import { parseSize, sizeText } from "../../image-size.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { plan } from "../../graph/plan.ts";
import { shapeText, sizeOf } from "../../graph/shape.ts";
import { kernelTarget } from "../../graph/kernel-target.ts";
import type { Decoder } from "../../layers/networks/decoder.ts";
import { unetLayers } from "../../layers/networks/unet.ts";
import { autotunedTiles, inTiles } from "../autotune.ts";
import { microBatchSize } from "../phase/accumulation.ts";
import type { TrainConfig } from "../../config/index.ts";
import { withinBudget } from "./budget.ts";
import { estimateTime } from "./estimate.ts";
import { featureBudget, photosWithin } from "../phase/feature-cache.ts";
import { featureBytes } from "../phase/features.ts";
import { encoderSpec } from "../phase/frozen-encoder.ts";
import { learningRateText } from "../phase/learning-rate.ts";
import { normalizationOf } from "../normalization.ts";
import { optimizerText } from "../phase/optimizer.ts";
import { plannedBytes } from "./memory.ts";
import { prepare } from "../prepare.ts";
import { formatDuration } from "../../runs/progress.ts";
import { encoder, encoderOf, takesSkips, trainingPass, trainsEncoder } from "../phase/programs.ts";
import { phaseName } from "../../runs/phase.ts";
import type { CardName } from "./predict/cards.ts";
import { describePrediction } from "./predict/describe.ts";
import { planStep } from "./step-plan.ts";
import type { RunData } from "../run-data.ts";
import type { TrainJob } from "../run.ts";
import type { TrainerOptions } from "../trainer-options.ts";
import { phasesOf } from "../trainer-options.ts";

export interface DryRunJob extends Pick<TrainJob, "config" | "gpu" | "say" | "resume" | "signal"> {
  /** Says also how long a step would take this card, which need not be here. */
  readonly predict?: CardName | undefined;
}

const DECODER_TEXTS: Readonly<Record<Decoder, string>> = {
  transpose: "transposed convolutions",
  nearest: "nearest neighbour and convolution",
  bilinear: "bilinear interpolation and convolution",
};

/** Names of validation photos that are shown. */
const NAMED = 5;

/**
 * Says what `train` would do with this configuration: data, split, shapes, schedule, memory and time. Refuses what `train`
 * would refuse, so all photos and masks are read. Writes nothing but the cache of resized photos.
 *
 * @throws as `train` does before a run begins.
 */
export async function dryRun(job: DryRunJob): Promise<void> {
  const { config, gpu, say } = job;
  const start = performance.now();
  const prepared = await prepare(job);
  const { data } = prepared;
  for (const line of describeData(config, data)) say(line);
  // As far as a run before has found them; here nothing is timed for it.
  const tiles =
    prepared.tiles ?? (await autotunedTiles(job, prepared.options, data.training.size, { seconds: 0 }));
  const tuned = { ...prepared, options: inTiles(prepared.options, tiles) };
  const { options, budgeted } = await withinBudget(job, tuned, start);
  for (const line of describeNetwork(gpu, config, options)) say(line);
  for (const line of describePhases(gpu, config, options)) say(line);
  const held = Math.ceil(
    plannedBytes(options, kernelTarget(gpu, options.tileFor), data.training.size) / 2 ** 20,
  );
  say(row("in all", `at most ${held} MiB at once, evaluation and smaller batches included`));
  if (job.predict !== undefined)
    for (const line of describePrediction(prepared.options, job.predict)) say(line);
  if (config.maxSteps !== null) say(row("limit", `${config.maxSteps} steps`));
  if (config.time !== null) say(row("limit", `${formatDuration(config.time)} of training`));
  if (budgeted !== null)
    return say(row("whole run", `about ${formatDuration(budgeted.total)} on ${gpu.adapterName}`));
  say("Timing a few steps …");
  const time = await estimateTime(gpu, options, data.validation.size);
  for (const phase of phasesOf(options))
    say(row("step", `${time.step[phase]!.toPrecision(3)} s, ${phaseName(phase, config.freeze)}`));
  if (time.encoding !== null)
    say(row("encoder", `${time.encoding.toPrecision(3)} s more for a step whose photos are all new`));
  const most = time.encoding === null ? "about" : "at most about";
  say(row("whole run", `${most} ${formatDuration(time.total)} on ${gpu.adapterName}`));
}

const row = (name: string, text: string): string => `  ${name.padEnd(12)} ${text}`;

function describeData(config: TrainConfig, { total, photos, training, validation }: RunData): string[] {
  const { splitSeed, validationDropRemainder, batchSize, maskInterpolation } = config;
  const shown = validation.names.slice(0, NAMED).join(", ");
  const whole = Math.floor(training.size / batchSize);
  const rest = training.size % batchSize;
  const pass =
    rest === 0 || config.dropRemainder
      ? `${whole} batches of ${batchSize}`
      : `${whole} batches of ${batchSize} and one of ${rest}`;
  const steps = Math.ceil(validation.size / batchSize);
  return [
    "Data",
    row("photos", `${total} from ${config.data ?? "the generator of people in clothes"}, sorted by name`),
    row("split", `${photos.size} to train on, the rest to validate on (train_test_split, seed ${splitSeed})`),
    row(
      "validation",
      `${validation.size} photos in ${steps} steps${validationDropRemainder ? ", whole batches only" : ""}: ${shown} …`,
    ),
    row(
      "pixels",
      `RGB / 255, bilinear${NORMALIZATION_TEXTS[normalizationOf(config)]}; masks ${maskInterpolation}`,
    ),
    row("augment", describeAugmentation(config, training.size)),
    row(
      "order",
      config.shuffleBuffer === null
        ? "a full shuffle each pass"
        : `a streaming shuffle through a buffer of ${config.shuffleBuffer}, each pass`,
    ),
    row("pass", pass),
  ];
}

function describeAugmentation(config: TrainConfig, size: number): string {
  const { crop, scale, overfitBatch } = config;
  if (crop === null || overfitBatch) return describeNamed(config, size);
  const scaled = scale === null ? "" : ` of photos scaled by ${scale}`;
  return `crops of ${sizeText(parseSize(crop)!)}${scaled}; ${describeNamed(config, size)}`;
}

function describeNamed({ augment, augmentMode, overfitBatch }: TrainConfig, size: number): string {
  if (augment === null || overfitBatch) return "none";
  if (augmentMode === "copies") return `${augment.length} copies: ${augment.join(", ")} (${size} samples)`;
  if (!augment.some(isRandom)) return `each with probability 1/2: ${augment.join(", ")}`;
  const probabilities = augment.map((name) => `${name} ${traitsOf(name).probability}`);
  return `each with its probability: ${probabilities.join(", ")}`;
}

function describeNetwork(
  gpu: Gpu,
  { weights, decoder, bnMomentum, precision }: TrainConfig,
  options: TrainerOptions,
): string[] {
  const { graph, logits } = trainingPass(
    { ...options, batchSize: microBatchSize(options), cacheFeatures: false },
    phasesOf(options)[0],
  );
  const { variables } = plan({ outputs: { logits } }, kernelTarget(gpu, options.tileFor));
  const elements = variables.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return [
    "Network",
    row("encoder", `${encoderOf(options).title}, ${weights ?? "random weights"}`),
    row("decoder", DECODER_TEXTS[decoder]),
    row("batch norms", `momentum ${bnMomentum ?? `${momentaOf(options).join(" and ")}, as in Keras`}`),
    row("parameters", elements.toLocaleString("en")),
    ...(precision === "f16"
      ? [row("precision", "activations and their gradients in f16, all else in f32")]
      : []),
    ...["image", "labels"].map((name) => row(name, shapeText(graph.inputs.get(name)!.shape))),
    row("logits", shapeText(logits.shape)),
  ];
}

/** Those that the batch norms of a network have by themselves. */
function momentaOf(options: TrainerOptions): number[] {
  const { classes, decoder = "transpose" } = options;
  const layers = unetLayers({ encoder: encoderOf(options), classes, decoder });
  return [
    ...new Set(
      layers.flatMap(({ operation }) =>
        operation.kind === "BatchNormalization" ? [operation.momentum] : [],
      ),
    ),
  ];
}

function describePhases(gpu: Gpu, config: TrainConfig, options: TrainerOptions): string[] {
  const { stepsPerEpoch, epochs, learningRate, schedule, warmupSteps } = options;
  const { accumulate } = config;
  const microBatches =
    accumulate === 1 ? "" : `, each in ${accumulate} micro-batches of ${microBatchSize(options)}`;
  let epoch = 0;
  return phasesOf(options).flatMap((phase) => {
    const { summary } = planStep(options, phase, kernelTarget(gpu, options.tileFor));
    const steps = epochs[phase] * stepsPerEpoch;
    const base = learningRate[phase];
    const rate = learningRateText({ base, schedule, warmupSteps, steps });
    const first = epoch;
    epoch += epochs[phase];
    return [
      `Epochs ${first} to ${epoch - 1}: ${phaseName(phase, config.freeze)}`,
      row("steps", `${stepsPerEpoch} an epoch, ${steps} in all${microBatches}`),
      row(
        "optimizer",
        `${optimizerText(config)}, fresh, learning rate ${rate}` +
          (config.encoderRateScale === 1 || !trainsEncoder(options, phase)
            ? ""
            : `, the encoder's times ${config.encoderRateScale}`) +
          (config.clipNorm === null ? "" : `, global norm at most ${config.clipNorm}`),
      ),
      ...(config.ema === null
        ? []
        : [row("average", `of the weights, decay ${config.ema}, to validate and use`)]),
      row("memory", `${Math.ceil(summary.peakBytes / 2 ** 20)} MiB`),
      row("dispatches", `${summary.dispatches} a step, ${summary.pipelines} pipelines`),
      ...(takesSkips(options, phase) ? describeFeatures(gpu, options) : []),
    ];
  });
}

function describeFeatures(gpu: Gpu, options: TrainerOptions): string[] {
  const target = kernelTarget(gpu, options.tileFor);
  const spec = encoderSpec(options, target);
  const { summary } = plan(encoder(spec), target);
  const photos = spec.batchSize === 1 ? "a new photo" : `${spec.batchSize} new photos`;
  const budget = featureBudget();
  const kibibytes = Math.ceil(featureBytes(options) / 2 ** 10);
  const most = photosWithin(budget, options);
  return [
    row(
      "encoder",
      `${summary.dispatches} dispatches for ${photos}, ${Math.ceil(summary.peakBytes / 2 ** 20)} MiB`,
    ),
    row(
      "features",
      `${kibibytes} KiB a photo, kept of the first ${most} in up to ${Math.floor(budget / 2 ** 20)} MiB of this machine's memory`,
    ),
  ];
}
