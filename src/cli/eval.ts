import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { schema } from "../config/index.ts";
import { FORMAT_NAMES } from "../data/formats/names.ts";
import type { FormatName } from "../data/formats/names.ts";
import { evaluateAtOwnSize } from "../use/evaluate-photos.ts";
import { evaluationReport, formatReport, RESOLUTIONS } from "../use/evaluation-report.ts";
import type { Resolution } from "../use/evaluation-report.ts";
import { createLabeller } from "../use/create-labeller.ts";
import { classesFigure } from "../runs/figures/classes.ts";
import { confusionFigure } from "../runs/figures/confusion.ts";
import { judgedFigures } from "../runs/figures/judged.ts";
import { photoScoresCsv } from "../runs/photo-scores.ts";
import { evaluateModel, openEvaluationData, SPLITS } from "../use/model-evaluation.ts";
import type { EvaluationSplit, ModelEvaluation } from "../use/model-evaluation.ts";
import { loadModel, ModelError } from "../use/model.ts";
import { choosePrecision } from "../use/precision.ts";
import { formatBytes } from "../text-table.ts";
import { sizeText } from "../image-size.ts";
import { makeFolderOfOutput, makeOutputFolder } from "../use/output-folder.ts";
import { writeJson } from "../runs/run-folder.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { describeAdapter } from "../adapter/adapters.ts";
import { addViewOptions, viewFor } from "./view-options.ts";
import type { ViewFlags } from "./view-options.ts";
import { addModelOptions } from "./model-options.ts";
import type { ModelFlags } from "./model-options.ts";
import { openGpu } from "../adapter/open-gpu.ts";
import { runCommand } from "./run-command.ts";
import { userPath } from "./user-path.ts";

interface EvalFlags extends ModelFlags, ViewFlags {
  readonly resolution?: Resolution;
  readonly data?: string;
  readonly split?: EvaluationSplit;
  readonly lossyMasks?: true;
  readonly format?: FormatName;
  readonly labelMap?: string;
  readonly ignoreLabel?: number | "auto" | typeof NONE;
  readonly json?: string;
  readonly figures?: string;
  readonly photos?: string;
}

/** Said for no such number. */
const NONE = "none";
/** Photos at once by default. */
const BATCH_SIZE = 16;

const command = addViewOptions(addModelOptions(new Command("eval")))
  .description("Tells how well a trained model labels photos whose masks are known.")
  .option(
    "--data <folder>",
    "photos and masks; without it, the photos that the model's run held back",
    userPath,
  )
  .addOption(
    new Option(
      "--split <which>",
      "all photos of --data (the default), the part the model's run validated or trained on, or the data's own test part",
    ).choices(SPLITS),
  )
  .option(
    "--lossy-masks",
    "take masks that are JPEG, lossy WebP or AVIF; without it, where the model's run took them",
  )
  .addOption(
    new Option("--format <name>", "read --data as this format; without it, recognised").choices(FORMAT_NAMES),
  )
  .option("--label-map <file>", "what becomes which class; without it, as the model's run had it", userPath)
  .addOption(
    new Option(
      "--ignore-label <n>",
      "number of pixels that do not count, auto or none; without it, as the model's run had it",
    ).argParser((text) => ignoreLabelOf(text)),
  )
  .addOption(
    new Option(
      "--resolution <which>",
      "compare masks at the model's size (the default) or at each photo's own, as with --window and --tta",
    ).choices(RESOLUTIONS),
  )
  .option("--json <file>", "write everything, the confusion matrix too, to this file", userPath)
  .option("--photos <file>", "write how well each photo was labelled to this file, as CSV", userPath)
  .option(
    "--figures <folder>",
    "write confusion, the classes, the worst and the best photos as PNGs to this folder",
    userPath,
  );

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

function ignoreLabelOf(text: string): number | "auto" | typeof NONE {
  if (text === NONE) return NONE;
  const result = schema.shape.ignoreLabel.safeParse(/^\d+$/.test(text) ? Number(text) : text);
  if (!result.success) throw new InvalidArgumentError(`It ${result.error.issues[0].message}, or none.`);
  return result.data!;
}

/** Replaces the terminal's last line; says nothing where nobody watches. */
function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
