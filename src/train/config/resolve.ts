import { z } from "zod";
import { preset } from "./presets.ts";
import type { AdapterKind } from "./presets.ts";

/** A setting that cannot be used; the message is one sentence for the user. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const whole = (what: string, least: number): z.ZodNumber =>
  z
    .number({ error: `${what} must be a number` })
    .int(`${what} must be a whole number`)
    .min(least, `${what} must be at least ${least}`);

/** A rate in (0, 1]. */
const rate = (what: string): z.ZodNumber =>
  z
    .number({ error: `${what} must be a number` })
    .gt(0, `${what} must be above 0`)
    .max(1, `${what} must be at most 1`);

/** Everything that decides a run; written to its `config.json`. */
const schema = z.object({
  /** Folder with `images/` and `masks/`; null for the generated data set. */
  data: z.string().nullable(),
  /** Weights to begin with; null for random ones. */
  weights: z.string().nullable(),
  preset: z.enum(["quick", "article"], { error: `--preset must be "quick" or "article"` }),
  imageSize: whole("--image-size", 32).multipleOf(
    32,
    "--image-size must be a multiple of 32, because the encoder halves a photo five times: 64 or 128, for example",
  ),
  batchSize: whole("--batch-size", 1),
  epochsFrozen: whole("--epochs-frozen", 0),
  epochsFinetune: whole("--epochs-finetune", 0),
  stepsPerEpoch: whole("--steps-per-epoch", 1),
  learningRate: rate("--learning-rate"),
  finetuneLearningRate: rate("--finetune-learning-rate"),
  momentum: z.number().min(0).lt(1),
  validationPhotos: whole("--validation-photos", 1),
  seed: whole("--seed", 0).max(0xffffffff, "--seed must be at most 4294967295"),
  out: z.string().nullable(),
});

export type TrainConfig = z.infer<typeof schema>;

/** What the user has said; the rest comes from the preset. */
export type TrainFlags = { [Key in keyof TrainConfig]?: TrainConfig[Key] | undefined };

/**
 * A preset's values for the adapter at hand, overlaid with what the user has said. Without `preset`, hardware gets the
 * tutorial's and an adapter that runs on the CPU gets `quick`. `--learning-rate` alone speaks for the frozen phase and
 * scales the fine-tuning phase's with it.
 *
 * @throws ConfigError naming the first flag that cannot be used.
 */
export function resolveConfig(flags: TrainFlags, adapter: AdapterKind): TrainConfig {
  const name = flags.preset ?? (adapter === "hardware" ? "article" : "quick");
  const defaults = preset(name === "article" ? "article" : "quick", adapter, Boolean(flags.weights));
  const said = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const learningRate = flags.learningRate ?? defaults.learningRate;
  const parsed = schema.safeParse({
    data: null,
    weights: null,
    seed: 0,
    out: null,
    ...defaults,
    finetuneLearningRate: defaults.finetuneLearningRate * (learningRate / defaults.learningRate),
    ...said,
    preset: name,
  });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const value = said[String(issue.path[0])];
    throw new ConfigError(`${issue.message} (it is ${JSON.stringify(value) ?? "missing"}).`);
  }
  if (parsed.data.epochsFrozen + parsed.data.epochsFinetune === 0) {
    throw new ConfigError("There is nothing to train: --epochs-frozen and --epochs-finetune are both 0.");
  }
  return parsed.data;
}
