import { modelDigest } from "../bulk/model-digest.ts";
import { workShard } from "../bulk/work-shard.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { createLabeller } from "../use/create-labeller.ts";
import type { Labeller } from "../use/labeller.ts";
import { OutputThreads } from "../use/output-threads.ts";
import { loadModel } from "../use/model.ts";
import { choosePrecision } from "../use/precision.ts";
import { messageOf } from "../message-of.ts";
import type { LabelTask, ShardJob, ShardOutcome } from "./shard-job.ts";
import { UnfitWorkerError } from "./unfit-worker-error.ts";
import type { WorkerMetrics } from "./worker-metrics.ts";

/** Labels shards on one device. What a task takes on it is kept for the next shard of the same task. */
export class ShardLabellers {
  readonly #gpu: Gpu;
  readonly #say: (sentence: string) => void;
  readonly #metrics: WorkerMetrics;
  readonly #threads = new OutputThreads();
  readonly #free: { readonly key: string; readonly labeller: Labeller }[] = [];

  constructor(gpu: Gpu, metrics: WorkerMetrics, say: (sentence: string) => void) {
    this.#gpu = gpu;
    this.#metrics = metrics;
    this.#say = say;
  }

  /**
   * @throws UnfitWorkerError when the model is not here or is another one than the shard was added for; what
   *   {@link workShard} throws.
   */
  async work({ shard, task }: ShardJob, signal: AbortSignal): Promise<ShardOutcome> {
    const key = keyOf(task);
    const labeller = await this.#take(key, task);
    let already = false;
    try {
      const { photos, failures } = await workShard(labeller, shard, {
        ...{ out: task.out, outputsAs: task.outputsAs },
        ...{ outputs: task.outputs, maskPng: task.maskPng, geoJson: task.geoJson, logits: task.logits },
        ...{ threads: this.#threads, signal },
        onNote: (sentence) => this.#say(`Note: ${sentence}`),
        onStages: (stages) => this.#metrics.stagesDone(stages),
        onDoneBefore: () => (already = true),
      });
      return { labelled: photos.length, failed: failures, already };
    } finally {
      this.#free.push({ key, labeller });
    }
  }

  async close(): Promise<void> {
    this.#destroy();
    await this.#threads.close();
  }

  #destroy(): void {
    for (const { labeller } of this.#free.splice(0)) labeller.destroy();
  }

  async #take(key: string, task: LabelTask): Promise<Labeller> {
    const at = this.#free.findIndex((free) => free.key === key);
    if (at >= 0) return this.#free.splice(at, 1)[0].labeller;
    // Those of other tasks hold the GPU's memory.
    this.#destroy();
    const { imageSize, batchSize, window = null, overlap = 0, tta = [] } = task;
    const model = await loadModel(task.model, { imageSize }).catch((error: unknown) => {
      throw new UnfitWorkerError(`This worker cannot use the model of the shards: ${messageOf(error)}`);
    });
    if ((await modelDigest(model)) !== task.modelSha256)
      throw new UnfitWorkerError(
        `The model ${model.file} is another file here than the one that the shards were added for: copy that one here, or add ` +
          "the shards anew.",
      );
    let chosen;
    try {
      chosen = choosePrecision(this.#gpu, model, task.precision);
    } catch (error) {
      throw new UnfitWorkerError(messageOf(error));
    }
    const labeller = await createLabeller(this.#gpu, model, {
      ...{ batchSize, window, overlap, tta, precision: chosen.precision },
    });
    this.#say(`Model: ${model.file}, ${model.classNames.length} classes, ${labeller.view}, ${chosen.text}`);
    return labeller;
  }
}

/** What a labeller is made of. */
const keyOf = ({
  model,
  modelSha256,
  imageSize,
  batchSize,
  precision,
  window,
  overlap,
  tta,
}: LabelTask): string =>
  JSON.stringify([model, modelSha256, imageSize, batchSize, precision, window, overlap, tta]);
