/** @file A case made ready to run, ours or tfjs's, behind one interface, so that both are timed alike. */
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import type { Gpu } from "../src/gpu/gpu.ts";
import { compile } from "../src/graph/compile.ts";
import type { Feeds } from "../src/graph/program.ts";
import type { GraphWork, TfjsWork } from "./bench-case.ts";
import { recordDispatches } from "./record-dispatches.ts";

export interface Contender {
  /** Does the work `repeats` times and waits for it; the milliseconds until all of it was submitted. */
  run(repeats: number): Promise<number>;
  /** The results of a run. */
  read(): Promise<ArrayLike<number>[]>;
  destroy(): void;
}

/**
 * Compiles `work` and runs it once whole. Later runs record only the dispatches of the case, in one pass and one submit
 * and without uploads.
 */
export async function prepareOurs(gpu: Gpu, { goals, fuse, feeds, timed }: GraphWork): Promise<Contender> {
  const program = await compile(gpu, { ...goals, ...(fuse !== undefined && { fuse }) });
  try {
    const { dispatches, inputs, outputs } = program.plan;
    const values: Feeds = Object.fromEntries(inputs.map(({ name }) => [name, feeds[name]()]));
    const recorded = await recordDispatches(gpu.device, () => program.run(values, []));
    await gpu.idle();
    if (recorded.length !== dispatches.length) {
      throw new Error(`A program of ${dispatches.length} dispatches recorded ${recorded.length}.`);
    }
    const chosen = recorded.filter((_, i) => timed(dispatches[i].node));
    return {
      async run(repeats) {
        const start = performance.now();
        const encoder = gpu.device.createCommandEncoder({ label: "benchmark" });
        const pass = encoder.beginComputePass();
        for (let i = 0; i < repeats; i++) {
          for (const { pipeline, bindGroup, workgroups } of chosen) {
            pass.setPipeline(pipeline);
            pass.setBindGroup(0, bindGroup);
            pass.dispatchWorkgroups(...(workgroups as [number, number, number]));
          }
        }
        pass.end();
        gpu.device.queue.submit([encoder.finish()]);
        const submitted = performance.now() - start;
        await gpu.idle();
        return submitted;
      },
      async read() {
        const results = [];
        for (const name of outputs.keys()) results.push(await program.read(name));
        return results;
      },
      destroy: () => program.destroy(),
    };
  } catch (error) {
    program.destroy();
    throw error;
  }
}

/**
 * Runs `work` once on tfjs's active WebGPU backend. Its op-by-op submits are part of each run, as they are of its use.
 *
 * @throws Error when the backend cannot do it: a kernel is missing or its shader does not compile.
 */
export async function prepareTfjs(gpu: Gpu, make: () => TfjsWork): Promise<Contender> {
  const backend = tf.backend() as unknown as WebGPUBackend;
  const submit = (): void => {
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.submitQueue();
  };
  const settle = (): Promise<unknown> => gpu.waitFor(backend.queue.onSubmittedWorkDone());
  // As tfjs does not look for errors: a run that fails would be quick.
  backend.device.pushErrorScope("validation");
  let work: TfjsWork | undefined;
  let thrown: unknown;
  try {
    work = make();
    tf.dispose(work.run());
    submit();
  } catch (error) {
    thrown = error;
  }
  const error = await gpu.waitFor(backend.device.popErrorScope());
  await settle();
  if (!work || thrown || error) {
    work?.dispose();
    const { message } = error ?? (thrown as Error);
    throw new Error(message.split("\n", 1)[0]);
  }
  const ready = work;
  return {
    async run(repeats) {
      const start = performance.now();
      for (let i = 0; i < repeats; i++) tf.dispose(ready.run());
      submit();
      const submitted = performance.now() - start;
      await settle();
      return submitted;
    },
    async read() {
      const tensors = ready.run();
      const results = [];
      for (const tensor of tensors) results.push(await gpu.waitFor(tensor.data()));
      tf.dispose(tensors);
      return results;
    },
    destroy: () => ready.dispose(),
  };
}

/** The largest difference of two results, over the largest value there is; infinite where one is not a number. */
export function largestDifference(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  let difference = 0;
  a.forEach((ours, i) => {
    const theirs = b[i];
    let largest = 0;
    let apart = 0;
    for (let k = 0; k < ours.length; k++) {
      largest = Math.max(largest, Math.abs(theirs[k]));
      const distance = Math.abs(ours[k] - theirs[k]);
      apart = Number.isNaN(distance) ? Infinity : Math.max(apart, distance);
    }
    difference = Math.max(difference, apart / (largest || 1));
  });
  return difference;
}
