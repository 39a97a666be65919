import { featureBytes } from "./features.ts";
import type { Features, FeatureSpec } from "./features.ts";
import { machineMemory } from "../forecast/machine-memory.ts";

/** Most bytes that features may take, whatever there is. */
const MOST = 4 * 2 ** 30;
/** Part of the machine's free memory that they may take. */
const SHARE = 1 / 4;

/** Bytes of features to keep: a quarter of the memory that is free, at most 4 GiB. */
export const featureBudget = (free = machineMemory()): number => Math.min(MOST, Math.floor(SHARE * free));

/**
 * Features by the identity of their photo, as many as a budget holds: the first that come are kept for good. Photos come in
 * passes, each once a pass, so the one that was not seen for longest is the one that comes next: to drop it for another
 * would never serve anybody, and any part that stays serves as well as any other.
 */
export class FeatureCache {
  readonly #kept = new Map<string, Features>();
  readonly #capacity: number;

  constructor(spec: FeatureSpec, budget = featureBudget()) {
    this.#capacity = photosWithin(budget, spec);
  }

  get(identity: string): Features | undefined {
    return this.#kept.get(identity);
  }

  /** Keeps the features of a photo if there is room. */
  keep(identity: string, features: Features): void {
    if (this.#kept.size < this.#capacity) this.#kept.set(identity, features);
  }
}

/** How many photos' features fit into `budget` bytes. */
export const photosWithin = (budget: number, spec: FeatureSpec): number =>
  Math.floor(budget / featureBytes(spec));
