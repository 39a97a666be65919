import { MpiError } from "./mpi-error.ts";

/** What a process manager has said of the ranks that it started. */
export interface StartedRanks {
  readonly rank: number;
  readonly size: number;
}

/** Names of the rank and of the number of ranks: hydra and other PMI starters, Open MPI, Slurm's srun, PALS. */
const SAID = [
  ["PMI_RANK", "PMI_SIZE"],
  ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"],
  ["PALS_RANKID", "PALS_SIZE"],
  ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS"],
] as const;

/** @throws MpiError where ranks were started in a way that does not say how many there are: each would make the whole run. */
export function refuseUncounted(env: NodeJS.ProcessEnv = process.env): void {
  if (env.PMI_PORT !== undefined && env.PMI_ID !== undefined && startedRanks(env) === null)
    throw new MpiError("mpiexec -pmi-port does not tell ranks how many they are: leave out -pmi-port.");
}

/**
 * Whether this process is one of several ranks, by its environment; null for a process by itself. Nothing of MPI need be loaded to
 * know it.
 */
export function startedRanks(env: NodeJS.ProcessEnv = process.env): StartedRanks | null {
  for (const [rankName, sizeName] of SAID) {
    const [rank, size] = [Number(env[rankName]), Number(env[sizeName])];
    if (env[rankName] !== undefined && Number.isInteger(rank) && Number.isInteger(size) && size > 1)
      return { rank, size };
  }
  return null;
}
