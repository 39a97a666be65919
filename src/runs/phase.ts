import type { TrainConfig } from "../config/index.ts";

/** The two phases, in order: with a part of the network frozen, the encoder as a rule, then everything with a fresh optimizer. */
export const PHASES = ["frozen", "finetune"] as const;
/** `frozen` or `finetune`. */
export type Phase = (typeof PHASES)[number];

/** What the first phase may leave as it is: the encoder; encoder and decoder, so that only the head learns; or nothing. */
export type Freeze = TrainConfig["freeze"];

const FIRST_PHASE: Readonly<Record<Freeze, string>> = {
  encoder: "encoder frozen",
  decoder: "encoder and decoder frozen",
  none: "nothing frozen",
};

export const isFreeze = (value: unknown): value is Freeze =>
  typeof value === "string" && Object.hasOwn(FIRST_PHASE, value);

/** What a phase is called where a person reads it. */
export const phaseName = (phase: Phase, freeze: Freeze): string =>
  phase === "finetune" ? "fine-tuning" : FIRST_PHASE[freeze];

/** {@link phaseName} at the beginning of a line. */
export const phaseTitle = (phase: Phase, freeze: Freeze): string =>
  phaseName(phase, freeze).replace(/^./, (letter) => letter.toUpperCase());
