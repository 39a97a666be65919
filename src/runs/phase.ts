/** The two phases, in order: the decoder on a frozen encoder, then everything. */
export const PHASES = ["frozen", "finetune"] as const;
export type Phase = (typeof PHASES)[number];
