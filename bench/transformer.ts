/**
 * @file A training step of the example's character transformer, in turns with the same network on tfjs's WebGPU backend, and what share of it
 * its matrix products take: `npm run bench:transformer`.
 */
import * as tf from "@tensorflow/tfjs-core";
import { Command } from "commander";
import { transformer } from "../examples/character-transformer.ts";
import { openGpu } from "../src/adapter/open-gpu.ts";
import { compile } from "../src/graph/compile.ts";
import { gradients } from "../src/graph/gradients.ts";
import { Graph } from "../src/graph/graph.ts";
import { adam } from "../src/graph/optimizers/adam.ts";
import { kernelTimes, printKernelTimes } from "../src/graph/profile.ts";
import { sparseSoftmaxCrossEntropy } from "../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { Variables } from "../src/graph/variables.ts";
import { positive, run } from "./command.ts";
import { timed } from "./step/tfjs-step.ts";
import type { StepTime } from "./step/tfjs-step.ts";
import { median, milliseconds } from "./step/times.ts";
import { startTfjsWebGpu } from "./tfjs-webgpu.ts";
import { startTfjsTransformer } from "./transformer/tfjs-transformer.ts";

interface Options {
  readonly batch: number;
  readonly length: number;
  readonly channels: number;
  readonly heads: number;
  readonly blocks: number;
  readonly vocabulary: number;
  readonly rounds: number;
  readonly tfjs: boolean;
  readonly kernels: boolean;
}

const learningRate = 1e-3;

async function main({ batch, rounds, tfjs, kernels, ...options }: Options): Promise<void> {
  const gpu = await openGpu();
  const variables = new Variables(gpu, { seed: 1 });
  try {
    const { length, channels, heads, blocks, vocabulary } = options;
    const graph = new Graph();
    const model = transformer(options);
    const logits = model(graph.input("tokens", [batch, length], "u32"), { training: true });
    const loss = sparseSoftmaxCrossEntropy(logits, graph.input("labels", [batch, length], "u32"));
    const updates = adam(gradients(loss), { learningRate });
    const names = [...graph.variables.keys()].filter((name) => !name.includes("adam"));
    const program = await compile(gpu, { outputs: { loss }, updates, variables });
    const first = await variables.readAll((name) => names.includes(name));
    const drawn = (seed: number): Uint32Array =>
      Uint32Array.from({ length: batch * length }, (_, i) => ((i * 7919 + seed) % 104729) % vocabulary);
    const feeds = { tokens: drawn(1), labels: drawn(2) };
    console.log(
      `${gpu.adapterName}: ${batch} sequences of ${length} tokens, ${blocks} blocks of ${channels} channels in ${heads} heads, ` +
        `${vocabulary} tokens; ${program.summary.dispatches} dispatches`,
    );

    const losses: number[] = [];
    const ours = async (): Promise<void> => void losses.push((await program.run(feeds)).loss[0]);
    await ours();
    if (tfjs) {
      tf.enableProdMode();
      await startTfjsWebGpu();
      const theirs = startTfjsTransformer({
        ...{ options, batch, learningRate, variables: first, ...feeds },
      });
      const theirLosses: number[] = [];
      const step = async (): Promise<void> => {
        const loss = theirs.step();
        theirLosses.push((await gpu.waitFor(loss.data()))[0]);
        loss.dispose();
      };
      await step();
      const pairs: { ours: StepTime; theirs: StepTime }[] = [];
      for (let round = 0; round < rounds; round++)
        pairs.push({ ours: await timed(ours), theirs: await timed(step) });
      const of = (what: (pair: (typeof pairs)[number]) => number): number => median(pairs.map(what));
      const ratio = of(({ ours, theirs }) => theirs.ms / ours.ms);
      const cpuRatio = of(({ ours, theirs }) => theirs.cpuMs / ours.cpuMs);
      console.log(
        `A step takes ${milliseconds(of(({ ours }) => ours.ms))}; tfjs-webgpu ${tf.version_core} takes ` +
          `${milliseconds(of(({ theirs }) => theirs.ms))}, ${ratio.toFixed(1)} times as long, ${cpuRatio.toFixed(1)} times the processor ` +
          `time (medians of ${rounds} pairs).`,
      );
      const apart = losses.map((loss, i) => Math.abs(loss - theirLosses[i]) / theirLosses[i]);
      console.log(
        `Losses of ${losses.length} steps are ${Math.max(...apart).toExponential(1)} apart at most.`,
      );
      theirs.dispose();
    } else {
      const times: StepTime[] = [];
      for (let round = 0; round < rounds; round++) times.push(await timed(ours));
      console.log(`A step takes ${milliseconds(median(times.map(({ ms }) => ms)))}.`);
    }

    const runs = [];
    for (let i = 0; i < rounds; i++) runs.push(await program.profile(feeds));
    const { dispatches } = program.plan;
    const flops = dispatches.reduce((sum, { kernel }) => sum + (kernel.flops ?? 0), 0);
    const shares = runs.map((times) => {
      const sum = (products: boolean): number =>
        times.reduce(
          (total, { nanoseconds }, i) =>
            total + (!products || dispatches[i].kernel.flops !== undefined ? nanoseconds : 0),
          0,
        );
      return { products: sum(true), all: sum(false) };
    });
    const share = median(shares.map(({ products, all }) => products / all));
    const rate = flops / median(shares.map(({ products }) => products));
    console.log(
      `Its matrix products take ${(100 * share).toFixed(1)} % of the time of all dispatches, at ${rate.toFixed(1)} GFLOP/s ` +
        `(${(flops / 1e9).toFixed(2)} GFLOP a step).`,
    );
    if (kernels) console.log(printKernelTimes(kernelTimes(dispatches, runs)));
    program.destroy();
  } finally {
    variables.destroy();
    gpu.destroy();
  }
}

const command = new Command("bench:transformer")
  .description("Times a training step of a character transformer, ours and tfjs's in turns.")
  .option("--batch <count>", "sequences a step", positive, 8)
  .option("--length <count>", "tokens a sequence", positive, 64)
  .option("--channels <count>", "channels", positive, 256)
  .option("--heads <count>", "heads, which share the channels", positive, 4)
  .option("--blocks <count>", "blocks", positive, 2)
  .option("--vocabulary <count>", "different tokens", positive, 64)
  .option("--rounds <count>", "pairs of steps, and steps that are profiled", positive, 5)
  .option("--no-tfjs", "leave tfjs out")
  .option("--kernels", "print the time of each kernel too", false);
await run(command, main);
