import { join } from "node:path";
import { evaluateAtOwnSize } from "../use/evaluate-photos.ts";
import { evaluationReport, formatReport } from "../use/evaluation-report.ts";
import type { Resolution } from "../use/evaluation-report.ts";
import { createLabeller } from "../use/create-labeller.ts";
import { classesFigure } from "../runs/figures/classes.ts";
import { confusionFigure } from "../runs/figures/confusion.ts";
import { judgedFigures } from "../runs/figures/judged.ts";
import { photoScoresCsv } from "../runs/photo-scores.ts";
import { evaluateModel, openEvaluationData } from "../use/model-evaluation.ts";
import type { ModelEvaluation } from "../use/model-evaluation.ts";
import { loadModel, ModelError } from "../use/model.ts";
import { choosePrecision } from "../use/precision.ts";
import { formatBytes } from "../text-table.ts";
import { sizeText } from "../image-size.ts";
import { makeFolderOfOutput, makeOutputFolder } from "../use/output-folder.ts";
import { writeJson } from "../runs/run-folder.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { describeAdapter } from "../adapter/adapters.ts";
import { viewFor } from "./view-for.ts";
import { openGpu } from "../adapter/open-gpu.ts";
import { runCommand } from "./run-command.ts";
import { evalCommand, NONE } from "./definitions/eval.ts";
import type { EvalFlags } from "./definitions/eval.ts";

/** Photos at once by default. */
const BATCH_SIZE = 16;

const command = evalCommand();

await runCommand(command, async (interrupted) => {
  const {
    data = null,
    lossyMasks,
    format,
    labelMap,
    ignoreLabel,
    json,
    figures,
    photos: photosFile,
    adapter,
    precision: asked,
    ...flags
  } = command.opts<EvalFlags>();
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const model = await loadModel(flags.model, flags);
  const view = viewFor(model, flags);
  const resolution = resolutionOf(flags);
  const split = flags.split ?? (data === null ? "validation" : "all");
  const chosen = await openEvaluationData(model, {
    ...{ data, split, lossyMasks, format, labelMap },
    // Commander makes an empty text of null.
    ignoreLabel: ignoreLabel === NONE ? null : ignoreLabel,
    signal: interrupted,
  });
  const { dataset, notes } = chosen;
  const gpu = await openGpu(adapter === undefined ? {} : { adapter });
  try {
    // A place that cannot be written to is told of before the work.
    if (json !== undefined) await makeFolderOfOutput(json, "--json");
    if (photosFile !== undefined) await makeFolderOfOutput(photosFile, "--photos");
    if (figures !== undefined) await makeOutputFolder(figures, "--figures");
    const { kind, name } = describeAdapter(gpu);
    say(`Adapter: ${name} (${kind})`);
    const { precision, text } = choosePrecision(gpu, model, asked);
    say(`Model: ${model.file}, ${sizeText(model.imageSize)}, ${model.classNames.length} classes`);
    say(`Precision: ${text}`);
    const photos = `${dataset.size} ${dataset.size === 1 ? "photo" : "photos"}`;
    say(`Data: ${photos} of ${chosen.folder ?? "the run's drawings"}${split === "all" ? "" : ` (${split})`}`);
    for (const note of notes) say(`Note: ${note}`);
    const options = {
      onProgress: (done: number) => showProgress(`${done}/${dataset.size} photos`),
      signal: interrupted,
    };
    let evaluation: ModelEvaluation;
    let seen = `resized to ${sizeText(model.imageSize)}`;
    if (resolution === "photo") {
      const labeller = await createLabeller(gpu, model, { ...view, precision, batchSize: flags.batchSize });
      seen = labeller.view;
      say(`Seen: ${seen}`);
      try {
        evaluation = await evaluateAtOwnSize(labeller, dataset, options);
      } finally {
        labeller.destroy();
      }
    } else {
      const batchSize = Math.min(flags.batchSize ?? BATCH_SIZE, dataset.size);
      evaluation = await evaluateModel(gpu, model, dataset, { ...options, batchSize, precision });
    }
    showProgress("");
    const report = evaluationReport(evaluation, model, {
      adapter: gpu.adapterName,
      data: chosen.folder,
      split,
      mask_interpolation: chosen.maskInterpolation,
      ...{ resolution, seen },
    });
    say(`Memory: ${formatBytes(report.gpu_bytes)} on the GPU`);
    say(`\n${formatReport(report)}`);
    if (json !== undefined) {
      await writeJson(json, report);
      say(`Written: ${json}`);
    }
    if (photosFile !== undefined) {
      const csv = photoScoresCsv(evaluation.scores.photos, dataset.names);
      await writeFileAtomically(photosFile, [Buffer.from(csv)]);
      say(`Written: ${photosFile}`);
    }
    if (figures !== undefined) {
      const { classNames } = model;
      const { confusion, meanIou, meanDice, accuracy, scores } = evaluation;
      const classes = {
        iou: confusion.iou(),
        truthPixels: confusion.pixelCounts(),
        classNames,
        meanIou,
        meanDice,
        accuracy,
      };
      const pictures = {
        confusion: await confusionFigure({ counts: confusion.counts, classNames }),
        classes: await classesFigure(classes),
        ...(await judgedFigures({
          ...{ dataset, scores, classNames, atOwnSize: resolution === "photo" },
          title: `The worst and the best of ${photos}`,
        })),
      };
      for (const [name, png] of Object.entries(pictures)) {
        const file = join(figures, `${name}.png`);
        await writeFileAtomically(file, [png]);
        say(`Written: ${file}`);
      }
    }
  } finally {
    gpu.destroy();
  }
});

/** @throws ModelError where masks cannot be compared as is asked for. */
function resolutionOf({ resolution, window, tta }: EvalFlags): Resolution {
  const needsPhoto = window !== undefined || tta !== undefined;
  if (resolution === "model" && needsPhoto) {
    throw new ModelError(
      "With --window and --tta masks are compared at the photos' own size: leave --resolution model out.",
    );
  }
  return resolution ?? (needsPhoto ? "photo" : "model");
}

/** Replaces the terminal's last line; says nothing where nobody watches. */
function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
