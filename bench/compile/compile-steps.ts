import { open } from "node:fs/promises";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { productGroups } from "../../src/graph/autotune/products.ts";
import type { Goals } from "../../src/graph/plan.ts";
import { plan } from "../../src/graph/plan.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { elementwiseCases } from "../cases/elementwise.ts";
import { encoderNamed } from "../../src/layers/networks/encoders.ts";
import { trainingStep } from "../../src/train/phase/programs.ts";
import type { LabPipeline, LabStep, LabTask, PipelineRecord } from "./task.ts";

const CLASSES = 59;

/**
 * Compiles every pipeline of some training steps, one after the other, so that what is added to the file `record` meanwhile
 * is of that pipeline. Steps are planned for the adapter as a run would be; nothing is allocated and nothing runs.
 */
export async function* compileSteps(gpu: Gpu, task: LabTask, record: string): AsyncGenerator<LabPipeline> {
  if (task.everyTile === true) {
    yield* compileTiles(gpu, task, record);
    return;
  }
  const kernels = new Map<string, { kernel: Kernel; dispatches: number[]; flops: number[] }>();
  const steps = task.table
    ? [tableGoals().flatMap((goals) => kernelsOf(gpu, goals))]
    : task.steps.map((step) => kernelsOf(gpu, goalsOf(task, step)));
  const none = steps.map(() => 0);
  steps.forEach((step, i) => {
    for (const kernel of step) {
      const known = kernels.get(kernel.wgsl) ?? { kernel, dispatches: [...none], flops: [...none] };
      known.dispatches[i]++;
      known.flops[i] += kernel.flops ?? 0;
      kernels.set(kernel.wgsl, known);
    }
  });
  const records = new RecordFile(record);
  for (const { kernel, dispatches, flops } of kernels.values()) {
    const { label, wgsl, tiling } = kernel;
    const product = tiling ? { family: tiling.request.family, tile: tiling.tile } : null;
    yield { label, product, flops, dispatches, wgsl, ...(await compiled(gpu, kernel, records)) };
  }
}

async function compiled(
  gpu: Gpu,
  kernel: Kernel,
  records: RecordFile,
): Promise<Pick<LabPipeline, "record" | "problem">> {
  try {
    await gpu.pipelines.get(kernel);
  } catch (error) {
    return { record: null, problem: (error as Error).message };
  }
  const added = await records.added();
  if (added.length !== 1)
    throw new Error(`${kernel.label}: the driver told of ${added.length} pipelines where one was made.`);
  return { record: added[0] };
}

/** The products of the steps in every tile, the default of each group first; a text that several have is compiled once. */
async function* compileTiles(gpu: Gpu, task: LabTask, record: string): AsyncGenerator<LabPipeline> {
  const records = new RecordFile(record);
  const known = new Map<string, Pick<LabPipeline, "record" | "problem">>();
  const groups = productGroups(
    task.steps.map((step) => goalsOf(task, step)),
    kernelTarget(gpu),
  );
  for (const { request, uses, candidates } of groups) {
    for (const { tile, work } of candidates) {
      const [{ kernel }] = work;
      const { label, wgsl, flops = 0, workgroups: grid } = kernel;
      const outcome = known.get(wgsl) ?? (await compiled(gpu, kernel, records));
      known.set(wgsl, outcome);
      const covered = (extent: number, side: number): number => extent / (Math.ceil(extent / side) * side);
      const group = {
        ...{ request, uses },
        workgroups: grid.reduce((product, extent) => product * extent, 1),
        filled: covered(request.rows, tile.rows) * covered(request.columns, tile.columns),
      };
      const product = { family: request.family, tile, group };
      yield { label, product, flops: [flops], dispatches: [uses], wgsl, ...outcome };
    }
  }
}

const kernelsOf = (gpu: Gpu, goals: Goals): Kernel[] =>
  plan(goals, kernelTarget(gpu)).dispatches.map(({ kernel }) => kernel);

/** Every op of the table, and the gradients by what it takes. */
const tableGoals = (): Goals[] =>
  elementwiseCases({ batch: 8, size: 64, classes: CLASSES }).map((each) => each.ours().goals);

const goalsOf = ({ imageSize, batchSize }: LabTask, { encoder, phase, precision }: LabStep): Goals =>
  trainingStep(
    {
      ...{ imageSize, batchSize, classes: CLASSES, encoder: encoderNamed(encoder), precision },
      ...{ optimizer: "rmsprop", clipNorm: null, weighted: false },
    },
    phase,
  );

/** The file that the layer appends to. */
class RecordFile {
  readonly #path: string;
  #position = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** What has come since the last call. */
  async added(): Promise<PipelineRecord[]> {
    const file = await open(this.#path);
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(size - this.#position);
      await file.read(bytes, 0, bytes.length, this.#position);
      this.#position = size;
      const lines = bytes
        .toString("utf8")
        .split("\n")
        .filter((line) => line !== "");
      return lines.map((line) => JSON.parse(line) as PipelineRecord);
    } finally {
      await file.close();
    }
  }
}
