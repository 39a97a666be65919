/**
 * @file What fusing a chain of eight elementwise ops brings, over `--numbers`, forward and backward, in turns with the same ops one by
 * one and with tfjs's WebGPU backend: `npm run bench:chain -- --numbers 16777216`. Beside the ratios of pairs stand those of
 * processor time, which on an adapter that runs on the CPU is the work itself, whoever else uses the cores.
 */
import * as tf from "@tensorflow/tfjs-core";
import { Command } from "commander";
import { openGpu } from "../src/adapter/open-gpu.ts";
import { add } from "../src/graph/ops/add.ts";
import { multiply, subtract } from "../src/graph/ops/binary.ts";
import type { Tensor } from "../src/graph/graph.ts";
import { sigmoid, square, tanh } from "../src/graph/ops/unary.ts";
import { compile } from "../src/graph/compile.ts";
import { positive, run } from "./command.ts";
import { opCases } from "./cases/op-cases.ts";
import { prepareOurs, prepareTfjs } from "./contender.ts";
import { compare } from "./measure.ts";
import { figure } from "./report.ts";
import { startTfjsWebGpu } from "./tfjs-webgpu.ts";

const ours = ({ x, other }: Record<string, Tensor>): Tensor =>
  tanh(add(multiply(sigmoid(subtract(square(multiply(x, 0.5)), 1)), other), add(x, 2)));
const theirs = ({ x, other }: Record<string, tf.Tensor>): tf.Tensor =>
  tf.tanh(tf.add(tf.mul(tf.sigmoid(tf.sub(tf.square(tf.mul(x, 0.5)), 1)), other), tf.add(x, 2)));

interface Options {
  readonly numbers: number;
  readonly time: number;
  readonly tfjs: boolean;
}

async function main({ numbers, time, tfjs }: Options): Promise<void> {
  const shape = [Math.ceil(numbers / 1024), 1024];
  const gpu = await openGpu();
  try {
    if (tfjs) {
      tf.enableProdMode();
      await startTfjsWebGpu();
    }
    console.log(
      `${gpu.adapterName}, a chain of eight ops on ${(shape[0] * 1024).toLocaleString("en")} numbers`,
    );
    const moved = [shape, shape, shape];
    const cases = opCases({
      ...{ name: "chain", shape, inputs: { x: { shape }, other: { shape } }, ours, theirs },
      rows: [
        { what: "forward", moves: moved },
        { what: "backward", wrt: ["x", "other"], moves: [...moved, shape, shape] },
      ],
    });
    for (const each of cases) {
      const { name } = each;
      const dispatches = [];
      for (const fuse of [true, false]) {
        const program = await compile(gpu, { ...each.ours().goals, fuse });
        dispatches.push(program.plan.summary.dispatches);
        program.destroy();
      }
      const fused = await prepareOurs(gpu, each.ours());
      const rivals = {
        "op by op": () => prepareOurs(gpu, { ...each.ours(), fuse: false }),
        ...(tfjs && { "tfjs-webgpu": () => prepareTfjs(gpu, () => each.theirs()) }),
      };
      try {
        for (const [rival, prepare] of Object.entries(rivals)) {
          const other = await prepare();
          try {
            const { ours, theirs, ratio } = await compare(fused, other, time);
            console.log(
              `${name}, ${dispatches.join(" instead of ")} dispatches: ${figure(ours.median)} ms; ${rival} takes ` +
                `${figure(ratio!)} times as long, ${figure(theirs!.cpu / ours.cpu)} times the processor time`,
            );
          } finally {
            other.destroy();
          }
        }
      } finally {
        fused.destroy();
      }
    }
  } finally {
    gpu.destroy();
  }
}

const command = new Command("bench:chain")
  .description("Times a chain of elementwise ops fused, op by op and in tfjs, in turns.")
  .option("--numbers <count>", "of each tensor, rounded up to a multiple of 1024", positive, 2 ** 20)
  .option("--time <ms>", "how long a pair is sampled", positive, 2000)
  .option("--no-tfjs", "leave tfjs out");
await run(command, main);
