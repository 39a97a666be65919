import { describe, expect, it } from "vitest";
import { MOMENT_GRADIENTS_OF_ALL, MOMENTS_OF_ALL } from "../../../src/graph/ops/synchronized-moments.ts";
import type { Plan } from "../../../src/graph/plan.ts";
import { BatchNormExchange } from "../../../src/train/phase/batch-norm-exchange.ts";
import { expectClose } from "../../helpers/close.ts";
import { inProcessRanks } from "../../helpers/in-process-ranks.ts";

/** Mean and biased variance of each of two channels, in double precision. */
function momentsOf(photos: readonly (readonly number[])[]): [number[], number[]] {
  const means = [0, 1].map((c) => photos.reduce((sum, photo) => sum + photo[c], 0) / photos.length);
  const variances = [0, 1].map(
    (c) => photos.reduce((sum, photo) => sum + (photo[c] - means[c]) ** 2, 0) / photos.length,
  );
  return [means, variances];
}

const floats = (numbers: readonly number[]): Float32Array => Float32Array.from(numbers);

describe("the moments of all ranks", () => {
  // The second channel lies far from zero, and hardly varies.
  const batches = [
    [
      [1, 1000.25],
      [2, 1000],
      [-4, 1000.5],
    ],
    [[7, 1000.75]],
  ];

  it("are those of all photos, also far from zero and where a rank has none", async () => {
    const ranks = inProcessRanks(3).map((rank) => new BatchNormExchange(rank));
    const hostWork = [MOMENTS_OF_ALL, MOMENT_GRADIENTS_OF_ALL].map((what, after) => ({
      what,
      after,
      tensors: [{ shape: [2] }, { shape: [2] }],
    }));
    const slopes = [
      [floats([1, 2]), floats([3, 4])],
      [floats([10, 20]), floats([30, 40])],
    ];
    const [results] = await Promise.all([
      Promise.all(
        batches.map(async (photos, rank) => {
          const onHost = ranks[rank].ofBatch(photos.length);
          const moments = await onHost(MOMENTS_OF_ALL, momentsOf(photos).map(floats));
          return [...moments, ...(await onHost(MOMENT_GRADIENTS_OF_ALL, slopes[rank]))];
        }),
      ),
      ranks[2].sitOut({ hostWork } as unknown as Plan),
    ]);
    const [mean, variance] = momentsOf(batches.flat());
    for (const [rank, [ownMean, ownVariance, dmean, dvariance]] of results.entries()) {
      expectClose(ownMean, floats(mean), 1e-7);
      expectClose(ownVariance, floats(variance), 1e-6);
      expect(ownMean).toEqual(results[0][0]);
      expect(ownVariance).toEqual(results[0][1]);
      const share = batches[rank].length / 4;
      expect([...dmean]).toEqual([11 * share, 22 * share]);
      expect([...dvariance]).toEqual([33 * share, 44 * share]);
    }
  });

  it("are not finite where one rank's are not, and know nothing else", async () => {
    const [alone] = inProcessRanks(1).map((rank) => new BatchNormExchange(rank));
    const onHost = alone.ofBatch(2);
    const [mean, variance] = await onHost(MOMENTS_OF_ALL, [floats([NaN, 1]), floats([1, Infinity])]);
    expect([...mean, ...variance]).toEqual([NaN, 1, NaN, Infinity]);
    await expect(onHost("something else", [floats([1]), floats([1])])).rejects.toThrow(
      'Ranks do not know "something else".',
    );
  });
});
