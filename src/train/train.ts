import { FolderDataset } from "../data/folder-dataset.ts";
import { GeneratedDataset } from "../data/generated-dataset.ts";
import type { SegmentationDataset } from "../data/dataset.ts";
import { trainTestSplit } from "../data/split.ts";
import { subset } from "../data/subset.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { PlanSummary } from "../graph/plan.ts";
import { writeFileAtomically } from "../weights/atomic-write.ts";
import { saveCheckpoint } from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import { describeEnvironment } from "./environment.ts";
import { curvesFigure } from "./figures/curves.ts";
import { predictionsFigure } from "./figures/predictions.ts";
import { appendHistory, createHistory } from "./history.ts";
import type { HistoryRow } from "./history.ts";
import type { Progress } from "./progress.ts";
import { checkRunFolder, RunFolder, writeJson } from "./run-folder.ts";
import type { Summary } from "./summary.ts";
import { Trainer } from "./trainer.ts";
import type { EpochResult } from "./trainer.ts";

/** Drawings that the generated data set holds. */
const GENERATED = 400;
/** Photos on the figure of predictions. */
const SHOWN = 4;

export interface TrainJob {
  readonly config: TrainConfig;
  readonly gpu: Gpu;
  readonly progress: Progress;
  /** A sentence for the user. */
  readonly say: (sentence: string) => void;
  /** Ends the run after the step in flight, with a checkpoint. */
  readonly signal?: AbortSignal;
}

/**
 * The whole job: data, network, both phases, checkpoints, figures, summary. Everything that can be wrong with the input
 * is found before the run folder is made.
 *
 * @throws DataError, WeightsError, ConfigError, RunFolderError, GpuError, TrainingDivergedError: each with a message for
 *   the user. Aborted, the signal's reason, after `checkpoints/last.safetensors` was written.
 */
export async function train({ config, gpu, progress, say, signal }: TrainJob): Promise<Summary> {
  const start = performance.now();
  await checkRunFolder(config.out);
  const { training, validation, read } = await openData(config, say, signal);
  const { imageSize, batchSize, stepsPerEpoch, momentum, seed, weights } = config;
  const trainer = await Trainer.create(gpu, {
    imageSize,
    batchSize,
    classes: training.classNames.length,
    epochs: { frozen: config.epochsFrozen, finetune: config.epochsFinetune },
    learningRate: { frozen: config.learningRate, finetune: config.finetuneLearningRate },
    stepsPerEpoch,
    momentum,
    seed,
    weights,
    signal,
  });
  try {
    await read();
    const run = await RunFolder.create(config.out);
    say(`Writing to ${run.path}`);
    await writeJson(run.config, config);
    await writeJson(run.environment, await describeEnvironment(gpu.adapterName));
    await createHistory(run.history);

    const rows: HistoryRow[] = [];
    let best: EpochResult | null = null;
    let last: EpochResult | null = null;
    let plan: PlanSummary | null = null;
    const metadata = (epoch: number): Record<string, string> => ({
      epoch: String(epoch),
      steps: String(trainer.steps),
      image_size: String(imageSize),
      classes: JSON.stringify(training.classNames),
      preprocessing: "RGB / 255, bilinear resize to image_size",
    });
    try {
      await trainer.run(training, validation, {
        phase: (phase, summary) => {
          // The fine-tuning step is the larger one; it comes last.
          plan = summary;
          say(describePlan(phase === "frozen" ? "Frozen encoder" : "Fine-tuning", summary));
        },
        step: (result) => progress.step(result),
        epoch: async (result) => {
          last = result;
          const { epoch, phase, loss, accuracy, seconds } = result;
          const { loss: valLoss, accuracy: valAccuracy } = result.validation;
          const row = { epoch, phase, loss, accuracy, valLoss, valAccuracy, seconds };
          await appendHistory(run.history, row);
          rows.push(row);
          await saveCheckpoint(trainer.variables, run.checkpoint("last"), metadata(epoch));
          if (!best || valAccuracy > best.validation.accuracy) {
            best = result;
            await saveCheckpoint(trainer.variables, run.checkpoint("best"), metadata(epoch));
          }
          progress.epoch(result);
        },
      });
    } catch (error) {
      if (signal?.aborted) {
        const done = (last as EpochResult | null)?.epoch ?? 0;
        await saveCheckpoint(trainer.variables, run.checkpoint("last"), metadata(done));
        say(`Stopped; the weights so far are in ${run.checkpoint("last")}`);
      }
      throw error;
    }

    const { backgroundAccuracy } = last!.validation;
    const title = `${gpu.adapterName}, ${imageSize}×${imageSize}, ${rows.length} epochs`;
    await writeFileAtomically(run.figure("curves"), [
      await curvesFigure(rows, { title, backgroundAccuracy }),
    ]);
    await writeFileAtomically(run.figure("predictions"), [await drawPredictions(trainer, validation, title)]);
    const summary = summarise(last!, best!, plan!, trainer, gpu, config, (performance.now() - start) / 1000);
    await writeJson(run.summary, summary);
    return summary;
  } finally {
    progress.close();
    trainer.destroy();
  }
}

async function openData(
  { data, imageSize, seed, validationPhotos }: TrainConfig,
  say: (sentence: string) => void,
  signal?: AbortSignal,
): Promise<{ training: SegmentationDataset; validation: SegmentationDataset; read: () => Promise<void> }> {
  const dataset =
    data === null
      ? new GeneratedDataset({ size: GENERATED, imageSize, seed })
      : await FolderDataset.open(data, { imageSize });
  const split = trainTestSplit(dataset.size, { seed });
  const test = split.test.slice(0, validationPhotos);
  say(
    `${split.train.length} photos to train on, ${test.length} to validate on` +
      (data === null ? ": drawn people in clothes, as no --data was given" : ` from ${data}`),
  );
  return {
    training: subset(dataset, split.train),
    validation: subset(dataset, test),
    // Reading all of them first brings a bad file to light before anything is written.
    read: async () => {
      if (dataset instanceof FolderDataset)
        await dataset.readAll({ indices: [...split.train, ...test], signal });
    },
  };
}

function describePlan(phase: string, { dispatches, pipelines, peakBytes }: PlanSummary): string {
  return `${phase}: ${dispatches} dispatches a step, ${pipelines} pipelines, ${Math.ceil(peakBytes / 2 ** 20)} MiB`;
}

async function drawPredictions(
  trainer: Trainer,
  validation: SegmentationDataset,
  title: string,
): Promise<Buffer> {
  const indices = Array.from({ length: Math.min(SHOWN, validation.size) }, (_, i) => i);
  const predictions = await trainer.predict(validation, indices);
  const samples = await Promise.all(
    indices.map(async (index) => {
      const { image, mask } = await validation.load(index);
      return { name: validation.names[index], image, truth: mask, prediction: predictions[index] };
    }),
  );
  const { imageSize, classNames } = validation;
  return predictionsFigure({ imageSize, samples, classNames, title });
}

function summarise(
  last: EpochResult,
  best: EpochResult,
  plan: PlanSummary,
  trainer: Trainer,
  gpu: Gpu,
  config: TrainConfig,
  seconds: number,
): Summary {
  return {
    val_accuracy: last.validation.accuracy,
    val_loss: last.validation.loss,
    background_accuracy: last.validation.backgroundAccuracy,
    best_epoch: best.epoch,
    best_val_accuracy: best.validation.accuracy,
    validation_photos: last.validation.count,
    epochs: last.epoch,
    steps: trainer.steps,
    images: trainer.steps * config.batchSize,
    seconds,
    data_wait_seconds: trainer.waitedMs / 1000,
    adapter: gpu.adapterName,
    pipelines: plan.pipelines,
    peak_bytes: gpu.peakBytes,
    planned_peak_bytes: plan.peakBytes,
    dispatches_per_step: plan.dispatches,
  };
}
