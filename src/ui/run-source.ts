import type { MemoryPlan } from "../graph/memory-plan.ts";
import type { RunState } from "./run-state.ts";

/** A run as the server shows it, whether it goes on in this process or lies in a folder. */
export interface RunSource {
  readonly state: RunState;
  /** PNG of one of `state.pictures`; null when there is no such picture. */
  picture(id: string): Promise<Buffer | null>;
  /** The memory plan of one of `state.plans`; null when there is none. */
  plan(phase: string): Promise<MemoryPlan | null>;
}
