import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TrainingState } from "../../src/runs/training-state.ts";
import { readCheckpoint } from "../../src/train/checkpoint.ts";

/** How a run ended. */
export interface RunEnd {
  readonly state: TrainingState;
  /** SHA-256 of every variable's bytes. */
  readonly variables: Readonly<Record<string, string>>;
  readonly history: readonly string[];
}

/** A run's end without what a clock says. */
export async function ending(run: string): Promise<RunEnd> {
  const { state, values } = await readCheckpoint(join(run, "checkpoints", "last.safetensors"));
  const digests = [...values].map(([name, { data }]) => [
    name,
    createHash("sha256").update(data).digest("hex"),
  ]);
  const history = (await readFile(join(run, "history.csv"), "utf8")).split("\n");
  return {
    state: { ...state, history: state.history.map((row) => ({ ...row, seconds: 0 })) },
    variables: Object.fromEntries(digests) as Record<string, string>,
    history: history.map((line) => line.replace(/,[^,]*$/, "")),
  };
}
