import { exposedSeconds, quickest } from "./all-reduce-model.ts";
import type { Bucket, Link } from "./all-reduce-model.ts";

/** A rank's step, without what it waits for in exchanges. */
export interface Step {
  readonly seconds: number;
  readonly buckets: readonly Bucket[];
}

/** What the model says of so many ranks on a link, each with as many photos as one has: weak scaling. */
export interface TrainingForecast {
  readonly link: string;
  readonly ranks: number;
  /** Share of its time that a rank spends on what one by itself would do. */
  readonly efficiency: number;
  /** The same where exchanges come behind the backward pass. */
  readonly withoutOverlap: number;
}

export const RANKS = [2, 4, 8, 16, 32, 64, 128, 256];

export function forecastTraining({ seconds, buckets }: Step, links: readonly Link[]): TrainingForecast[] {
  return links.flatMap((link) =>
    RANKS.map((ranks) => {
      const [efficiency, withoutOverlap] = [true, false].map((overlap) => {
        const exposed = exposedSeconds(buckets, (bytes) => quickest(link, ranks, bytes), overlap);
        return seconds / (seconds + exposed);
      });
      return { link: link.name, ranks, efficiency, withoutOverlap };
    }),
  );
}
