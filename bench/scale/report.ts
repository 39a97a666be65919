import { textTable } from "../../src/text-table.ts";
import { median } from "../step/times.ts";
import { LONG_BYTES, secondsBy } from "./all-reduce-model.ts";
import type { FittedLines, Link, Measured } from "./all-reduce-model.ts";
import type { BulkForecast } from "./bulk-model.ts";
import { RENEWAL } from "./bulk-model.ts";
import { RANKS } from "./forecast-training.ts";
import type { Step, TrainingForecast } from "./forecast-training.ts";
import type { BulkRate } from "./measure-bulk.ts";
import { canPin } from "./processes.ts";

const ms = (seconds: number): string =>
  Math.abs(seconds) < 1e-3 ? `${(1e6 * seconds).toFixed(0)} µs` : `${(1000 * seconds).toFixed(1)} ms`;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const spread = (seconds: readonly number[]): string =>
  `${ms(median(seconds))} (${ms(Math.min(...seconds))} to ${ms(Math.max(...seconds))} of ${seconds.length})`;

/** A rank's step without exchange. */
export function stepLines(
  adapter: string,
  stepSeconds: readonly number[],
  { buckets, seconds }: Step,
  { size, batch }: { readonly size: number; readonly batch: number },
): string[] {
  const bytes = buckets.reduce((sum, bucket) => sum + bucket.bytes, 0);
  const early = buckets.filter(({ before }) => before > 0).reduce((sum, bucket) => sum + bucket.bytes, 0);
  const longest = Math.max(...buckets.map(({ before }) => before));
  return [
    `Adapter: ${adapter}${canPin ? ", one core a rank" : ""}`,
    `Fine-tuning step, ${batch} photos of ${size}×${size} a rank, without exchange, two processes beside each other: ${spread(stepSeconds)}`,
    `Gradients: ${megabytes(bytes)} in ${buckets.length} buckets; ${percent(early / bytes)} of the bytes are there before the last ones, ` +
      `the first ones by ${ms(longest)}, ${percent(longest / seconds)} of a step`,
  ];
}

/** All-reduces between two ranks, and the lines through them. */
export function exchangeLines(measured: readonly Measured[], fitted: FittedLines): string[] {
  const rows = measured.map(({ bytes, seconds }) => [
    bytes.toLocaleString("en"),
    ms(seconds),
    ms(secondsBy(fitted, bytes)),
    (bytes / seconds / 1e9).toFixed(2),
  ]);
  const line = ({ latency, perByte, worst }: FittedLines["short"]): string =>
    `${ms(latency)} and ${(1e9 * perByte).toFixed(3)} ns a byte, off by up to ${percent(worst)}`;
  return [
    textTable([["all-reduce, bytes", "measured", "model", "GB/s"], ...rows], [0, 1, 2, 3]),
    `Two ranks of this machine, sums included: below ${megabytes(LONG_BYTES)} ${line(fitted.short)}; from there on ${line(fitted.long)}`,
  ];
}

/** What the model says of two ranks, and what they do. */
export function pairLines(alone: number, predicted: number, stepSeconds: readonly number[]): string[] {
  const measured = median(stepSeconds);
  return [
    `Step of two ranks: predicted ${ms(predicted)}, measured ${spread(stepSeconds)}, ${percent(measured / predicted - 1)} more than predicted`,
    `Efficiency: predicted ${percent(alone / predicted)}, measured ${percent(alone / measured)}`,
  ];
}

/** What the model says of many ranks. */
export function forecastLines(
  what: string,
  forecasts: readonly TrainingForecast[],
  links: readonly Link[],
): string[] {
  const rows = links.map(({ name }) => [
    name,
    ...RANKS.map((ranks) => {
      const { efficiency, withoutOverlap } = forecasts.find(
        (each) => each.link === name && each.ranks === ranks,
      )!;
      return `${(100 * efficiency).toFixed(1)} (${(100 * withoutOverlap).toFixed(1)})`;
    }),
  ]);
  return [
    `Predicted efficiency in % by ranks, as many photos each (in brackets without overlap), of ${what}:`,
    textTable(
      [["link", ...RANKS.map(String)], ...rows],
      RANKS.map((_, i) => i + 1),
    ),
    `Assumed: ${links
      .map(
        ({ name, latency, perByte }) =>
          `${name} ${ms(latency)} a message and ${(8e-9 / perByte).toFixed(0)} Gbit/s`,
      )
      .join(
        "; ",
      )}; sums at ${(1e-9 / links[0].perSum).toFixed(0)} GB/s; one link between any two ranks, none slower than the others, the ` +
      `quickest of recursive doubling, Rabenseifner's algorithm and the ring (Thakur, Rabenseifner, Gropp 2005); gradients go through the hosts' memory`,
  ];
}

/** What labelling a billion photos takes. */
export function bulkLines(rate: BulkRate, forecasts: readonly BulkForecast[], size: number): string[] {
  const [{ photos, shards, workerHours }] = forecasts;
  const rows = forecasts.map((each) => [
    each.workers.toLocaleString("en"),
    each.hours >= 48 ? `${(each.hours / 24).toFixed(1)} days` : `${each.hours.toFixed(1)} h`,
    `${megabytes(each.bytesInPerSecond)}/s`,
    `${megabytes(each.bytesOutPerSecond)}/s`,
    each.queueOperationsPerSecond.toFixed(1),
  ]);
  return [
    `One worker labels ${rate.photosPerSecond.toFixed(2)} photos a second of 550×825 at ${size}×${size}, ${(rate.bytesIn / 1000).toFixed(0)} kB each, ` +
      `and writes ${(rate.bytesOut / 1000).toFixed(0)} kB of each`,
    `${photos.toLocaleString("en")} photos: ${workerHours.toLocaleString("en", { maximumFractionDigits: 0 })} hours of a worker, ` +
      `${shards.toLocaleString("en")} shards, ${((photos * rate.bytesIn) / 1e12).toFixed(1)} TB in and ${((photos * rate.bytesOut) / 1e12).toFixed(1)} TB out`,
    textTable([["workers", "time", "in", "out", "queue operations/s"], ...rows], [0, 1, 2, 3, 4]),
    `Assumed: workers do not hinder each other; a shard is put into the queue, taken and done, and every ${RENEWAL} s each worker tells that it has its own`,
  ];
}
