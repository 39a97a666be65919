import type { Variables, VariableValues } from "../graph/variables.ts";
import { loadWeights } from "../weights/load.ts";
import { readSafetensors, writeSafetensors } from "../weights/safetensors-file.ts";
import type { Metadata } from "../weights/tensors.ts";
import { WeightsError } from "../weights/weights-error.ts";
import { networkWeights } from "./network-weights.ts";
import { averagesAsWeights, weightsAsTrained } from "./phase/averaging.ts";
import { parseState } from "../runs/training-state.ts";
import type { TrainingState } from "../runs/training-state.ts";

/**
 * Writes everything a run needs to go on (weights, moving statistics, optimizer's slots, and the state) by rename, so
 * never a half file. Where weights are averaged, a weight's own name is its average's: see `averagesAsWeights`.
 *
 * @param metadata what else the file says of itself, all that is needed to use the network
 */
export async function saveCheckpoint(
  variables: Variables,
  path: string,
  state: TrainingState,
  metadata: Metadata,
): Promise<void> {
  // Accumulators are zero between two steps.
  const kept = await variables.readAll((_, group) => group !== "accumulator");
  await writeSafetensors(path, averagesAsWeights(kept), {
    ...metadata,
    epoch: String(state.epoch),
    steps: String(state.globalStep),
    state: JSON.stringify(state),
  });
}

/** What {@link saveCheckpoint} wrote. */
export interface Checkpoint {
  readonly values: Map<string, VariableValues>;
  readonly state: TrainingState;
  readonly metadata: Metadata;
}

/**
 * Reads a checkpoint to go on from.
 *
 * @throws FileError when the file cannot be read or holds no state of a run.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readSafetensors(path);
  const state = parseState(metadata.state);
  if (state === null) {
    throw new WeightsError(
      `${path} holds weights but not where a run stood: give it to --weights to begin a new run with them.`,
    );
  }
  return { values: weightsAsTrained(tensors as Map<string, VariableValues>), state, metadata };
}

/**
 * Fills the variables from a file of weights: a whole network, or an encoder (then the decoder keeps its first values).
 *
 * @throws WeightsError that names the tensor that is missing or misshapen.
 */
export async function restoreWeights(variables: Variables, path: string): Promise<{ loaded: number }> {
  const { tensors } = await loadWeights(path);
  const assigned = networkWeights((which) => variables.shapes(which), tensors, path);
  for (const [name, { data }] of assigned) variables.write(name, data as Float32Array);
  return { loaded: assigned.size };
}
