import type { Encoder } from "../layers/networks/encoder.ts";
import { parseSize } from "../image-size.ts";
import { DEFAULT_ENCODER, encoderNamed } from "../layers/networks/encoders.ts";
import { sizeProblem } from "../layers/networks/image-size.ts";
import { checkAugmentation, checkCrop, withAugmentations } from "./augmentation.ts";
import { withBudget } from "./budget.ts";
import { defaultPreset, preset, withEncoder, withOptimizer } from "./presets.ts";
import type { AdapterKind } from "./presets.ts";
import { isSetting, schema, SETTING_NAMES } from "./schema.ts";
import type { Said, SettingName, TrainConfig } from "./schema.ts";
import { ConfigError, descriptions } from "./setting.ts";

/** Settings from one place: the command line, or a file. */
export interface Source {
  /** The file's name in messages; null for the command line. */
  readonly file: string | null;
  readonly said: Said;
}

/**
 * A preset's values for the adapter at hand, overlaid with what was said, earlier sources before later ones. Without
 * `preset`, hardware gets the tutorial's and an adapter that runs on the CPU gets `quick`. `--learning-rate` alone speaks
 * for the frozen phase and scales the fine-tuning phase's with it.
 *
 * @param sources the configuration file, then the command line: what comes later wins.
 * @throws ConfigError naming the first setting that cannot be used.
 */
export function resolveConfig(sources: readonly Source[], adapter: AdapterKind): TrainConfig {
  const said: Record<string, unknown> = {};
  for (const source of sources) {
    const own = withBudget(withAugmentations(source.said), source.file === null);
    for (const [name, value] of Object.entries(own)) {
      if (value === undefined) continue;
      check(name, value, source);
      said[name] = value;
    }
  }
  const name = (said.preset ?? defaultPreset(adapter)) as TrainConfig["preset"];
  const encoder = encoderNamed((said.encoder as string | undefined) ?? DEFAULT_ENCODER.name);
  const recipe = preset(name, adapter, Boolean(said.weights));
  const optimizer = (said.optimizer ?? recipe.optimizer) as TrainConfig["optimizer"];
  const defaults = withOptimizer(withEncoder(recipe, encoder), optimizer);
  const scale = ((said.learningRate as number | undefined) ?? defaults.learningRate) / defaults.learningRate;
  const config = schema.parse({
    ...defaults,
    finetuneLearningRate: Math.min(1, defaults.finetuneLearningRate * scale),
    ...said,
  });
  checkEncoder(config, encoder);
  checkAugmentation(config);
  checkCrop(config, encoder);
  if (config.epochsFrozen + config.epochsFinetune === 0) {
    throw new ConfigError("There is nothing to train: --epochs-frozen and --epochs-finetune are both 0.");
  }
  const { batchSize, accumulate } = config;
  if (batchSize % accumulate !== 0) {
    throw new ConfigError(
      `--accumulate cuts a batch into equal parts, and --batch-size ${batchSize} is no multiple of ${accumulate}: give ` +
        `--batch-size ${Math.ceil(batchSize / accumulate) * accumulate}, for example.`,
    );
  }
  const onCommandLine = sources.find(({ file }) => file === null)?.said ?? {};
  checkLoss(config, onCommandLine);
  checkOptimizer(config, onCommandLine);
  checkSchedule(config);
  return config;
}

/** @throws ConfigError when an encoder does not take photos of this size, or prepared in this way */
function checkEncoder({ imageSize, normalization }: TrainConfig, encoder: Encoder): void {
  const problem = sizeProblem(encoder, parseSize(imageSize)!);
  if (problem !== null) throw new ConfigError(`--image-size ${problem} (it is ${imageSize}).`);
  if (encoder.preprocessing === "inside" && normalization !== "keras") {
    throw new ConfigError(
      `--normalization ${normalization} is not for ${encoder.title}, whose own first layers prepare pixels of 0 to 255: leave it out, ` +
        "or give --normalization keras.",
    );
  }
}

/** Numbers of one loss, which another one would not look at. */
const OF_ONE_LOSS = { focalGamma: "focal", tverskyAlpha: "tversky", tverskyBeta: "tversky" } as const;

/**
 * @param said on the command line; a file may hold the numbers of every loss, as a run's own does.
 * @throws ConfigError when something is asked of the loss that it does not have.
 */
function checkLoss({ loss, labelSmoothing, classWeights }: TrainConfig, said: Said): void {
  const isEntropy = loss === "cross-entropy" || loss === "dice-cross-entropy";
  if (labelSmoothing > 0 && !isEntropy) {
    throw new ConfigError(
      `--label-smoothing smooths the truth of a cross-entropy, and --loss ${loss} has none: leave it out, or give --loss ` +
        "cross-entropy or dice-cross-entropy.",
    );
  }
  if (classWeights !== "none" && !isEntropy && loss !== "focal") {
    throw new ConfigError(
      `--class-weights weighs the loss of each pixel, and --loss ${loss} has one for each class, all of which count alike: leave ` +
        "it out, or give --loss cross-entropy, dice-cross-entropy or focal.",
    );
  }
  for (const [name, owner] of Object.entries(OF_ONE_LOSS) as [keyof typeof OF_ONE_LOSS, string][])
    if (said[name] !== undefined && loss !== owner) throw ofAnother(name, "--loss", owner, loss);
}

/** @throws ConfigError when something is asked of the optimizer that it does not have; `said` as {@link checkLoss} takes it. */
function checkOptimizer({ optimizer, weightDecay, sgdMomentum, nesterov }: TrainConfig, said: Said): void {
  if (weightDecay > 0 && optimizer !== "adamw" && optimizer !== "sgd") {
    throw new ConfigError(
      `--weight-decay is for adamw and sgd, and this run's --optimizer is ${optimizer}: give one of them, or --weight-decay 0.`,
    );
  }
  for (const name of ["sgdMomentum", "nesterov"] as const)
    if (said[name] !== undefined && optimizer !== "sgd")
      throw ofAnother(name, "--optimizer", "sgd", optimizer);
  if (optimizer === "sgd" && nesterov && sgdMomentum === 0)
    throw new ConfigError(
      "--nesterov looks ahead along a velocity, and --sgd-momentum 0 keeps none: leave one out.",
    );
}

/** @throws ConfigError when the learning rate is to rise twice. */
function checkSchedule({ schedule, warmupSteps }: TrainConfig): void {
  if (schedule !== "one-cycle" || warmupSteps === 0) return;
  throw new ConfigError(
    "--warmup-steps lets the learning rate rise, and --schedule one-cycle does so by itself over the first 30 % of a phase: " +
      "leave one out.",
  );
}

/** A number of one loss or optimizer was given, and the run has another. */
function ofAnother(name: SettingName, choice: string, owner: string, chosen: string): ConfigError {
  const { flag } = descriptions.get(schema.shape[name])!;
  return new ConfigError(
    `${flag} is for ${choice} ${owner}, and this run's is ${chosen}: leave it out, or give ${choice} ${owner}.`,
  );
}

function check(name: string, value: unknown, { file, said }: Source): void {
  if (!isSetting(name)) {
    const where = file === null ? "The command line" : file;
    throw new ConfigError(
      `${where} sets ${JSON.stringify(name)}, which is no setting: the settings are ${SETTING_NAMES.join(", ")}.`,
    );
  }
  const type = schema.shape[name];
  const result = type.safeParse(value);
  if (result.success) return;
  const { flag } = descriptions.get(type)!;
  const called = file === null ? flag : `${file}: ${name} (${flag})`;
  throw new ConfigError(
    `${called} ${result.error.issues[0].message} (it is ${JSON.stringify(said[name] ?? value)}).`,
  );
}
