export const SPLITS = ["all", "validation", "training", "test"] as const;
/**
 * Which photos are evaluated on: all, those that the model's run validated or trained on, or those that the data's own split
 * keeps for tests.
 */
export type EvaluationSplit = (typeof SPLITS)[number];
