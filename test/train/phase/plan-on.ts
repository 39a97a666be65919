import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import { plan } from "../../../src/graph/plan.ts";
import type { Plan } from "../../../src/graph/plan.ts";
import type { TileFor } from "../../../src/kernels/tiling.ts";
import { DEFAULT_ENCODER } from "../../../src/layers/networks/encoders.ts";
import { encoder, evaluator, trainingStep } from "../../../src/train/phase/programs.ts";
import type { StepSpec } from "../../../src/train/phase/programs.ts";
import type { Precision } from "../../../src/config/precision.ts";
import { pretendedGpu } from "../../helpers/pretended-adapters.ts";
import type { PretendedAdapter } from "../../helpers/pretended-adapters.ts";

/** Every kind of program that a run or a trained model has. */
export const PROGRAMS = ["frozen", "finetune", "evaluation", "features"] as const;

/** A step as the article has it. */
export const articleStep: StepSpec = {
  ...{ batchSize: 64, imageSize: 128, classes: 59, encoder: DEFAULT_ENCODER },
  ...{ optimizer: "rmsprop", clipNorm: null, weighted: false },
};

export const precisionsOf = ({ features }: PretendedAdapter): Precision[] =>
  features.has("shader-f16") ? ["f32", "f16"] : ["f32"];

/** The plan that an adapter would be given. */
export function planOn(
  adapter: PretendedAdapter,
  program: (typeof PROGRAMS)[number],
  spec: StepSpec,
  tileFor?: TileFor,
): Plan {
  const goals = {
    frozen: () => trainingStep(spec, "frozen"),
    finetune: () => trainingStep(spec, "finetune"),
    evaluation: () => evaluator(spec),
    features: () => encoder(spec),
  }[program]();
  return plan(goals, kernelTarget(pretendedGpu(adapter), tileFor));
}
