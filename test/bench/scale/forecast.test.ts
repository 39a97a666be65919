import { expect, test } from "vitest";
import { forecastBulk } from "../../../bench/scale/bulk-model.ts";
import { forecastTraining, RANKS } from "../../../bench/scale/forecast-training.ts";
import { alone, recording } from "../../../bench/scale/recording.ts";
import type { RecordedSum } from "../../../bench/scale/recording.ts";

test("efficiency falls with ranks, and less with overlap", () => {
  const buckets = [
    { bytes: 6e7, before: 0.05 },
    { bytes: 5e6, before: 0 },
  ];
  const links = [{ name: "slow", latency: 3e-5, perByte: 8e-10, perSum: 1e-10 }];
  const forecasts = forecastTraining({ seconds: 0.1, buckets }, links);
  expect(forecasts.map(({ ranks }) => ranks)).toEqual(RANKS);
  for (const [i, { efficiency, withoutOverlap }] of forecasts.entries()) {
    expect(efficiency).toBeGreaterThan(withoutOverlap);
    if (i > 0) expect(efficiency).toBeLessThan(forecasts[i - 1].efficiency);
  }
  // Two ranks: 65 MB, of which a ring sends each half twice and sums it once.
  expect(forecasts[0].withoutOverlap).toBeCloseTo(0.1 / (0.1 + 2 * 6e-5 + 6.5e7 * 8.5e-10), 3);
});

test("a billion photos", () => {
  const forecast = forecastBulk({ photosPerSecond: 10, bytesIn: 1e5, bytesOut: 5e4 }, 1e9, 1000);
  expect(forecast).toMatchObject({ shards: 1e6, bytesInPerSecond: 1e9, bytesOutPerSecond: 5e8 });
  expect(forecast.workerHours).toBeCloseTo(1e8 / 3600, 6);
  expect(forecast.hours).toBeCloseTo(1e5 / 3600, 6);
  // Ten shards a second are put in, taken and done; a thousand workers hold theirs.
  expect(forecast.queueOperationsPerSecond).toBeCloseTo(30 + 1000 / 6, 6);
});

test("sums of gradients are written down, and done", async () => {
  const sums: RecordedSum[] = [];
  const ranks = recording(alone(), sums);
  ranks.at = "step 1";
  expect([ranks.size, ranks.at]).toEqual([2, "step 1"]);
  await ranks.allReduce("sum of the gradients", new Float32Array(10));
  await ranks.allReduce("sum of the loss", new Float64Array(2));
  expect(sums.map(({ bytes }) => bytes)).toEqual([40]);
  expect(await ranks.allGather("names", Uint8Array.of(1))).toEqual([Uint8Array.of(1), Uint8Array.of(1)]);
});
