/** @file The moments of batch norms over the micro-batches of all ranks: what the host does between two submissions (`RunOptions.onHost`). */
import { MOMENT_GRADIENTS_OF_ALL, MOMENTS_OF_ALL } from "../../graph/ops/synchronized-moments.ts";
import type { Plan } from "../../graph/plan.ts";
import { sizeOf } from "../../graph/shape.ts";
import type { RunOptions } from "../../graph/tap-reader.ts";
import type { Collectives } from "../../mpi/collectives.ts";

type OnHost = NonNullable<RunOptions["onHost"]>;

/** Brings the moments of the ranks together, for micro-batches that all of them run at a time, one each. */
export class BatchNormExchange {
  readonly #ranks: Collectives;

  constructor(ranks: Collectives) {
    this.#ranks = ranks;
  }

  /**
   * What the host does in the run of a micro-batch.
   *
   * @param photos of this rank; a rank without any takes part by {@link sitOut}.
   */
  ofBatch(photos: number): OnHost {
    let all = photos;
    return async (what, [first, second]) => {
      const channels = first.length;
      const sums = new Float64Array(2 * channels + 1);
      const forward = what === MOMENTS_OF_ALL;
      if (!forward && what !== MOMENT_GRADIENTS_OF_ALL) throw new Error(`Ranks do not know "${what}".`);
      for (let c = 0; c < channels; c++) {
        // Of the images: Σx and Σx² over their number of pixels, in double precision, where the difference below loses nothing.
        sums[c] = forward ? photos * first[c] : first[c];
        sums[channels + c] = forward ? photos * (second[c] + first[c] * first[c]) : second[c];
      }
      sums[2 * channels] = photos;
      await this.#ranks.meet(what);
      await this.#ranks.allReduce(what, sums);
      all = sums[2 * channels];
      const [a, b] = [new Float32Array(channels), new Float32Array(channels)];
      for (let c = 0; c < channels; c++) {
        if (forward) {
          const mean = sums[c] / all;
          a[c] = mean;
          b[c] = atLeastZero(sums[channels + c] / all - mean * mean);
        } else {
          a[c] = (photos / all) * sums[c];
          b[c] = (photos / all) * sums[channels + c];
        }
      }
      return [a, b];
    };
  }

  /** Takes part in the run of a micro-batch of which this rank has no photo, of a program like `plan`. */
  async sitOut({ hostWork }: Plan): Promise<void> {
    const nothing = this.ofBatch(0);
    for (const { what, tensors } of hostWork)
      await nothing(
        what,
        tensors.map(({ shape }) => new Float32Array(sizeOf(shape))),
      );
  }
}

/** A variance that rounding has left below zero is zero; what is not a number stays so. */
const atLeastZero = (variance: number): number => (variance < 0 ? 0 : variance);
