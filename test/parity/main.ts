/**
 * @file `npm run parity`: every kernel, DenseNet121, a step on each encoder and the first training steps against tfjs, as a table.
 */
import { writeFile } from "node:fs/promises";
import * as tf from "@tensorflow/tfjs-core";
import { Command, Option } from "commander";
import { openGpu } from "../../src/adapter/open-gpu.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { kernelCases } from "./cases.ts";
import { ENCODERS } from "../../src/layers/networks/encoders.ts";
import { compareDenseNet } from "./densenet.ts";
import { compareEncoderStep } from "./encoder-step.ts";
import { realFiles } from "./real-files.ts";
import { summaryLine, tableLines } from "./report.ts";
import type { Row } from "./row.ts";
import { compareTraining, TRAINING_RUNS } from "./training.ts";

interface Options {
  readonly json?: string;
  readonly filter?: string;
  readonly only?: Row["part"];
  readonly encoder?: string;
}

async function compare(gpu: Gpu, { filter = "", only, encoder: chosen }: Options): Promise<Row[]> {
  const matches = (name: string): boolean => name.toLowerCase().includes(filter.toLowerCase());
  const wanted = (part: Row["part"]): boolean => (only ?? part) === part;
  const rows: Row[] = [];
  const show = (added: readonly Row[], title: string): void => {
    if (added.length === 0) return;
    rows.push(...added);
    console.log(["", title, ...tableLines(added)].join("\n"));
  };

  if (wanted("kernels")) {
    await tf.setBackend("cpu");
    const results: Row[] = [];
    for (const kernelCase of kernelCases)
      if (matches(kernelCase.name)) results.push(await kernelCase.run(gpu));
    show(results, "Kernels, against tfjs's CPU backend; errors are max |difference| / max |reference|");
  }
  if (wanted("encoders")) {
    const results: Row[] = [];
    for (const encoder of ENCODERS)
      if ((chosen ?? encoder.name) === encoder.name && matches(`${encoder.title} U-Net`))
        results.push(await compareEncoderStep(gpu, encoder));
    show(results, "A fine-tuning step of the U-Net on each encoder, against tfjs in double precision");
  }
  const network = [wanted("densenet") && matches("DenseNet121"), wanted("training") && matches("training")];
  if (!network.includes(true)) return rows;
  const files = realFiles();
  if (typeof files === "string") {
    console.log(`\n${files}`);
    return rows;
  }
  if (network[0]) {
    show(
      await compareDenseNet(gpu, files),
      "DenseNet121 on a real photo, against tfjs's WebAssembly backend",
    );
  }
  if (network[1]) {
    const losses: Row[] = [];
    for (const run of TRAINING_RUNS) losses.push(...(await compareTraining(gpu, files, run)));
    show(losses, "Training from equal weights on two real photos");
  }
  return rows;
}

async function main(options: Options): Promise<void> {
  if (options.encoder !== undefined && options.only !== "encoders") {
    throw new Error(
      `--encoder is of the part "encoders": it does not go with --only ${String(options.only)}.`,
    );
  }
  // Without it tfjs greets whoever runs it in Node.
  tf.enableProdMode();
  const gpu = await openGpu();
  try {
    console.log(`Adapter: ${gpu.adapterName}`);
    const rows = await compare(gpu, options);
    console.log(`\n${summaryLine(rows)}`);
    if (options.json) {
      const report = { adapter: gpu.adapterName, tfjs: tf.version_core, rows };
      await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    }
    if (rows.length === 0 || rows.some(({ ok }) => !ok)) process.exitCode = 1;
  } finally {
    gpu.destroy();
  }
}

const command = new Command("parity")
  .description("Compares every kernel, forward and every gradient, and the whole network with tfjs.")
  .option("--json <file>", "also write the numbers to a file")
  .option("--filter <text>", "only cases whose name has this text in it")
  .addOption(
    new Option("--only <part>", "only one part").choices(["kernels", "densenet", "encoders", "training"]),
  )
  .addOption(
    new Option("--encoder <name>", "only a step on this encoder")
      .choices(ENCODERS.map(({ name }) => name))
      .implies({ only: "encoders" }),
  )
  .action(async (options: Options) => {
    try {
      await main(options);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    }
  });
await command.parseAsync();
