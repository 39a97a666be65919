import { STAGES } from "../use/predict.ts";
import type { PredictOutcome, Stage } from "../use/predict.ts";
import type { JobResult } from "./shard-job.ts";

/** What a worker has done since it began, in the text format of Prometheus. */
export class WorkerMetrics {
  readonly #shards = { done: 0, already: 0, failed: 0, given_back: 0 };
  readonly #photos = { labelled: 0, failed: 0 };
  readonly #stages: Record<Stage, number> = { decode: 0, network: 0, encode: 0, write: 0 };
  #shardSeconds = 0;
  redisUp = true;

  get photosLabelled(): number {
    return this.#photos.labelled;
  }

  shardDone({ labelled, failed, already, seconds }: JobResult): void {
    if (already) {
      this.#shards.already += 1;
      return;
    }
    this.#shards.done += 1;
    this.#photos.labelled += labelled;
    this.#photos.failed += failed;
    this.#shardSeconds += seconds;
  }

  /** An attempt that failed. */
  shardFailed(): void {
    this.#shards.failed += 1;
  }

  shardGivenBack(): void {
    this.#shards.given_back += 1;
  }

  /** How long the stages of labelling a shard had photos in hand; they do so at the same time. */
  stagesDone(stages: PredictOutcome["stages"]): void {
    for (const stage of STAGES) this.#stages[stage] += stages[stage].worked;
  }

  /** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(): string {
    return [
      ...family(
        "bespoke_shards_total",
        "counter",
        "Shards by what came of them on this worker.",
        "outcome",
        this.#shards,
      ),
      ...family(
        "bespoke_photos_total",
        "counter",
        "Photos of shards that were done.",
        "outcome",
        this.#photos,
      ),
      ...family("bespoke_shard_seconds_total", "counter", "Seconds that shards took.", "", {
        "": this.#shardSeconds,
      }),
      ...family(
        "bespoke_stage_seconds_total",
        "counter",
        "Seconds in which each stage of labelling had photos in hand; stages work at the same time.",
        "stage",
        this.#stages,
      ),
      ...family("bespoke_redis_up", "gauge", "Whether Redis is connected.", "", { "": Number(this.redisUp) }),
      ...family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", "", {
        "": process.memoryUsage.rss(),
      }),
    ].join("");
  }
}

/** A metric with its help and type; without a label it has one value. */
export function family(
  name: string,
  type: "counter" | "gauge",
  help: string,
  label: string,
  values: Readonly<Record<string, number>>,
): string[] {
  return [
    `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`,
    ...Object.entries(values).map(([key, value]) =>
      label === "" ? `${name} ${value}\n` : `${name}{${label}="${escaped(key)}"} ${value}\n`,
    ),
  ];
}

const escaped = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
