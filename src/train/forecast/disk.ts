import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { bytesOf } from "../../graph/shape.ts";
import type { KernelTarget } from "../../kernels/kernel.ts";
import { RunFolderError, RUNS } from "../../runs/run-folder.ts";
import { phasesOf } from "../trainer-options.ts";
import type { TrainerOptions } from "../trainer-options.ts";
import { planStep } from "./step-plan.ts";

/** The last checkpoint, the best one, and the next one while it is written beside them. */
const CHECKPOINTS = 3;

/** Bytes of a checkpoint in the phase in which it is largest. */
function checkpointBytes(options: TrainerOptions, target: KernelTarget): number {
  const sizes = phasesOf(options).map((phase) =>
    planStep(options, phase, target)
      .variables.filter(({ variable }) => variable?.group !== "accumulator")
      .reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  );
  return Math.max(...sizes);
}

/**
 * Finds a disk that cannot take a run's checkpoints before the run begins, rather than at the end of its first epoch.
 *
 * @param path the run's folder, or where it will be made; null for a new one among the others.
 * @param available bytes there are; found out unless given.
 * @throws RunFolderError saying what is needed and what there is.
 */
export async function refuseFullDisk(
  path: string | null,
  options: TrainerOptions,
  target: KernelTarget,
  available?: number,
): Promise<void> {
  const free = available ?? (await freeBytes(resolve(path ?? RUNS)));
  const needed = CHECKPOINTS * checkpointBytes(options, target);
  if (free === null || free >= needed) return;
  throw new RunFolderError(
    `The disk of ${path ?? RUNS} has ${mebibytes(free)} free and the run's checkpoints need ${mebibytes(needed)}: free ` +
      `some space or give another --out.`,
  );
}

/** What a user may still write where `path` is or would be made; null where that cannot be told. */
async function freeBytes(path: string): Promise<number | null> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize, blocks } = await statfs(folder);
      // Some network file systems tell of no blocks at all.
      return blocks === 0 ? null : bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(folder) === folder) return null;
    }
  }
}

const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
