import { sizeText } from "../../image-size.ts";
import { GpuError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { plan } from "../../graph/plan.ts";
import type { Plan } from "../../graph/plan.ts";
import { bytesOf } from "../../graph/shape.ts";
import type { KernelTarget } from "../../kernels/kernel.ts";
import { kernelTarget } from "../../graph/kernel-target.ts";
import { microBatchSize } from "../phase/accumulation.ts";
import { ConfigError } from "../../config/index.ts";
import { encoderSpec } from "../phase/frozen-encoder.ts";
import { statisticsGoals } from "../phase/norm-statistics.ts";
import { machineMemory } from "./machine-memory.ts";
import { encoder, evaluator, takesSkips } from "../phase/programs.ts";
import { planStep } from "./step-plan.ts";
import { phasesOf } from "../trainer-options.ts";
import type { TrainerOptions } from "../trainer-options.ts";
import { evaluatorSpec } from "../phase/validation.ts";

/** Bytes of each buffer that a run holds at once where it holds most. */
type Buffers = readonly number[];

/**
 * The buffers of a run in its larger phase: the variables, the evaluator, the training step, the step for the smaller
 * batch at the end of a pass where there is one, what estimates moving statistics anew, and where features are cached the encoder and the evaluator that takes
 * them. The features themselves lie on the host, in what is left of its memory.
 *
 * @param target chooses the tiles of the run: what they leave of partial sums takes memory too.
 * @param trainingPhotos of one pass, copies included.
 * @throws Error when a piece of the work exceeds the adapter's limits.
 */
export function plannedBuffers(
  options: TrainerOptions,
  target: KernelTarget,
  trainingPhotos: number,
): Buffers {
  const evaluation = plan(evaluator(evaluatorSpec(options)), target);
  const phases = phasesOf(options).map((phase) => {
    const plans = [evaluation, planStep(options, phase, target)];
    const rest = smallerBatch(options, options.epochs[phase], trainingPhotos);
    if (rest > 0) plans.push(planStep({ ...options, batchSize: rest, accumulate: 1 }, phase, target));
    const estimate =
      (options.bnReestimate ?? 0) > 0 &&
      statisticsGoals({ ...options, batchSize: microBatchSize(options) }, phase);
    if (estimate) plans.push(plan(estimate, target));
    if (takesSkips(options, phase)) {
      plans.push(plan(encoder(encoderSpec(options, target)), target));
      plans.push(plan(evaluator(evaluatorSpec(options), "skips"), target));
    }
    return buffersOf(plans);
  });
  return phases.reduce((a, b) => (sum(b) > sum(a) ? b : a));
}

/** Bytes of {@link plannedBuffers} together. */
export const plannedBytes = (...run: Parameters<typeof plannedBuffers>): number =>
  sum(plannedBuffers(...run));

/** What several programs over the same variables hold. */
function buffersOf(plans: readonly Plan[]): Buffers {
  const variables = new Map(plans.flatMap((one) => one.variables.map((tensor) => [tensor.name, tensor])));
  return [
    ...plans.flatMap(({ blocks, inputs }) => [...blocks, ...inputs.map(bytesOf)]),
    ...[...variables.values()].map(bytesOf),
  ];
}

/** Photos of the batch in a phase that is smaller than the others, as far as it needs a program of its own; else 0. */
function smallerBatch(options: TrainerOptions, epochs: number, trainingPhotos: number): number {
  const { batchSize, dropRemainder, stepsPerEpoch, maxSteps } = options;
  const steps = Math.min(epochs * stepsPerEpoch, maxSteps ?? Infinity);
  if (dropRemainder || steps < Math.ceil(trainingPhotos / batchSize)) return 0;
  return (trainingPhotos % batchSize) % microBatchSize(options);
}

/**
 * Finds a batch that does not fit before anything is compiled. An adapter that runs on the CPU is held against the machine's
 * memory. A GPU tells nobody what it has free, so there everything is allocated for once and freed again.
 *
 * @param available bytes there are; null to find out by allocating.
 * @throws ConfigError saying what is needed, what there is, the largest batch that fits, and the `--accumulate` that lets
 *   the batch be as it is.
 */
export async function refuseLargeBatch(
  gpu: Gpu,
  options: TrainerOptions,
  trainingPhotos: number,
  available = availableMemory(gpu),
): Promise<void> {
  const lacks = (some: Partial<TrainerOptions>): Promise<string | null> =>
    whatIsMissing(gpu, { ...options, ...some }, trainingPhotos, available);
  const missing = await lacks({});
  if (missing === null) return;

  const { batchSize, accumulate = 1 } = options;
  let [fitting, failing] = [0, accumulate > 1 ? microBatchSize(options) + 1 : batchSize];
  while (failing - fitting > 1) {
    const middle = Math.floor((fitting + failing) / 2);
    if ((await lacks({ batchSize: middle, accumulate: 1 })) === null) fitting = middle;
    else failing = middle;
  }
  if (fitting === 0)
    throw new ConfigError(`${missing}, and no single photo would fit: use a smaller --image-size.`);
  let parts: number | null = null;
  for (const n of divisorsAbove(accumulate, batchSize)) {
    if (batchSize / n > fitting || (await lacks({ accumulate: n })) !== null) continue;
    parts = n;
    break;
  }
  const kept =
    parts === null
      ? ""
      : `, or keep --batch-size ${batchSize} with --accumulate ${parts}, which takes ${batchSize / parts} at a time`;
  throw new ConfigError(`${missing}: the largest batch that fits is --batch-size ${fitting}${kept}.`);
}

/** Numbers that divide `n`, from above `least`. */
const divisorsAbove = (least: number, n: number): number[] =>
  Array.from({ length: n - least }, (_, i) => least + 1 + i).filter((part) => n % part === 0);

/**
 * What of a run does not fit, in the tiles that its options choose, as the beginning of a sentence; null when all does.
 *
 * @param available as {@link refuseLargeBatch} takes it.
 */
export async function whatIsMissing(
  gpu: Gpu,
  options: TrainerOptions,
  trainingPhotos: number,
  available = availableMemory(gpu),
): Promise<string | null> {
  const { batchSize, accumulate = 1, imageSize } = options;
  const parts = accumulate === 1 ? "" : ` in ${accumulate} parts`;
  const photos = batchSize === 1 ? "1 photo" : `${batchSize} photos`;
  const what = `A batch of ${photos}${parts} at ${sizeText(imageSize)} does not fit`;
  let buffers: Buffers;
  try {
    buffers = plannedBuffers(options, kernelTarget(gpu, options.tileFor), trainingPhotos);
  } catch (error) {
    return `${what} (${(error as Error).message.replace(/: use a smaller .*$/, "")})`;
  }
  const { maxBufferSize } = gpu.limits;
  const largest = buffers.reduce((a, b) => Math.max(a, b));
  if (largest > maxBufferSize)
    return `${what}: it needs a buffer of ${formatBytes(largest)} and ${gpu.adapterName} allows ${formatBytes(maxBufferSize)}`;
  const needed = `${what}: training needs ${formatBytes(sum(buffers))}`;
  if (available !== null)
    return sum(buffers) <= available ? null : `${needed} and this machine has ${formatBytes(available)} free`;
  return (await canAllocate(gpu, buffers)) ? null : `${needed}, more than ${gpu.adapterName} has free`;
}

/** Allocates buffers and frees them again. */
async function canAllocate(gpu: Gpu, buffers: Buffers): Promise<boolean> {
  const made: GPUBuffer[] = [];
  try {
    await gpu.scoped("Looking for memory", () => {
      for (const bytes of buffers) made.push(gpu.createBuffer("probe", bytes, GPUBufferUsage.STORAGE));
    });
    return true;
  } catch (error) {
    if (error instanceof GpuError && error.kind === "out-of-memory") return false;
    throw error;
  } finally {
    for (const buffer of made) gpu.destroyBuffer(buffer);
    // What is destroyed is given back when the queue has come by.
    await gpu.idle();
  }
}

/** Bytes that the machine of an adapter which runs on the CPU has free; null for a GPU, which tells nobody. */
const availableMemory = (gpu: Gpu): number | null => (gpu.isSoftware ? machineMemory() : null);

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** `1.5 GiB`, `30 MiB`. */
const formatBytes = (bytes: number): string =>
  bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/**
 * The sentence for a GPU that ran out of memory all the same, for others may use it too, or that was taken away; any other
 * error as it is.
 */
export function withGpuAdvice(error: unknown): unknown {
  if (!(error instanceof GpuError)) return error;
  const what = error.message.split("\n", 1)[0].replace(/\.$/, "");
  const lighter = "use a smaller --batch-size, or --accumulate to take it in parts.";
  if (error.kind === "out-of-memory") return new GpuError(error.kind, `${what}: ${lighter}`);
  if (error.kind !== "lost") return error;
  const why = "its driver was reset or updated, or the system took a long piece of work for a hang";
  return new GpuError(error.kind, `${what}: ${why}. If it happens again, ${lighter}`);
}
