import type { Said, TrainConfig } from "./schema.ts";
import { ConfigError } from "./setting.ts";

/**
 * What one source has said, where a budget takes the place of the steps that another source or a preset names, and steps that
 * of a budget. A run's own `config.json` has both, the steps that were chosen beside the budget they were chosen for.
 *
 * @param onCommandLine where nobody says both but by mistake.
 * @throws ConfigError when both are.
 */
export function withBudget(said: Said, onCommandLine: boolean): Said {
  const { budget, stepsPerEpoch } = said;
  const chooses = budget !== undefined && budget !== null;
  if (chooses && onCommandLine && stepsPerEpoch !== undefined && stepsPerEpoch !== null) {
    throw new ConfigError(
      `--budget chooses how many steps an epoch has, and --steps-per-epoch says it: leave one out.`,
    );
  }
  if (chooses && stepsPerEpoch === undefined) return { ...said, stepsPerEpoch: null };
  if (budget === undefined && stepsPerEpoch !== undefined) return { ...said, budget: null };
  return said;
}

/** Seconds that a run is to take whose steps have not been chosen yet; null of any other. */
export const openBudget = ({
  budget,
  stepsPerEpoch,
}: Pick<TrainConfig, "budget" | "stepsPerEpoch">): number | null => (stepsPerEpoch === null ? budget : null);
