import { Command, InvalidArgumentError, Option } from "commander";
import { addBulkOptions } from "../bulk-options.ts";
import type { BulkFlags } from "../bulk-options.ts";
import { addAdapterOption, addModelOptions, positive } from "../model-options.ts";
import type { ModelFlags } from "../model-options.ts";
import { portNumber } from "../port.ts";
import { verifyCommand } from "./verify.ts";
import { addViewOptions } from "../view-options.ts";
import type { ViewFlags } from "../view-options.ts";

/** What every program of the queue says. */
export interface QueueFlags {
  readonly name: string;
}

export interface QueueAddFlags extends QueueFlags, BulkFlags, ViewFlags, Omit<ModelFlags, "adapter"> {
  readonly attempts: number;
  readonly backoff: number;
}

export interface QueueWorkFlags extends QueueFlags {
  readonly concurrency: number;
  readonly adapter?: string;
  readonly drain?: true;
  readonly grace: number;
  readonly metrics?: { readonly host: string; readonly port: number };
}

export interface QueueStatusFlags extends QueueFlags {
  readonly json?: true;
  readonly prometheus?: true;
}

/** As `src/queue` has them, whose modules a definition does not load. */
const NAME = "predict";
const METRICS_HOST = "127.0.0.1";

/** What `queue` takes and says of itself; `src/cli/queue.ts` is what it does. */
export function queueCommand(): Command {
  const queue = new Command("queue").description(
    "Labels any number of photos on any number of machines: shards of them in a queue in Redis (docs/queue.md).",
  );
  const named = (command: Command): Command =>
    command.option("--name <queue>", "the queue; several of them may be in one Redis", NAME);
  named(
    addViewOptions(
      addModelOptions(
        addBulkOptions(queue.command("add").description("Puts the shards of photos into the queue.")),
        { adapter: false },
      ),
    ),
  )
    .option("--attempts <n>", "how often a shard is tried before it stays failed", positive, 5)
    .option(
      "--backoff <seconds>",
      "pause before the second attempt; twice as long before each further one",
      seconds,
      10,
    );
  addAdapterOption(
    named(
      queue
        .command("work")
        .description(
          "Labels the photos of shards in the queue, one shard after the other, until it is stopped.",
        ),
    ),
  )
    .option(
      "--concurrency <shards>",
      "shards at once, each with a network of its own on the GPU",
      positive,
      1,
    )
    .option("--drain", "end when the queue is empty and no worker has a shard in hand")
    .option(
      "--grace <seconds>",
      "what shards in hand have to be done in after Ctrl-C or SIGTERM",
      seconds,
      20,
    )
    .option(
      "--metrics <port|host:port>",
      `serve /metrics for Prometheus, at ${METRICS_HOST} unless a host is told`,
      metricsAddress,
    );
  named(queue.command("status").description("Says what has become of the shards, and what failed and why."))
    .option("--json", "as JSON, whole")
    .addOption(new Option("--prometheus", "as metrics for Prometheus").conflicts("json"));
  named(queue.command("retry").description("Puts shards that failed back into the queue."));
  return queue.addCommand(verifyCommand());
}

/** Reads a flag that is a number of seconds, 0 too. */
function seconds(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= 0 && value < 1e6)) throw new InvalidArgumentError(`"${text}" is not a number of seconds.`);
  return value;
}

function metricsAddress(text: string): NonNullable<QueueWorkFlags["metrics"]> {
  const [, host, port] = /^(?:(.*):)?([^:]*)$/.exec(text) ?? [];
  return { host: host?.replace(/^\[(.*)\]$/, "$1") || METRICS_HOST, port: portNumber(port ?? "") };
}
