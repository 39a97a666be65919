import { GpuError } from "../gpu/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { CompiledPipeline } from "../gpu/pipelines.ts";
import type { Kernel, KernelTarget } from "../kernels/kernel.ts";
import type { TileFor } from "../kernels/tiling.ts";
import { kernelTarget } from "./kernel-target.ts";
import type { Binding } from "./dispatch.ts";
import { plan } from "./plan.ts";
import type { NamedTypes, Plan, PlanOptions } from "./plan.ts";
import { Program } from "./program.ts";
import type { Command, InputTypes } from "./program.ts";
import { bytesOf } from "./shape.ts";
import { submissionsOf } from "./submissions.ts";
import { Variables } from "./variables.ts";

/** What a program should compute, where its variables live, and how it is made. */
export interface CompileOptions<Outputs extends NamedTypes = NamedTypes> extends PlanOptions<Outputs> {
  /** Where the variables live; without it the program has its own and frees them with itself. */
  readonly variables?: Variables;
  /** A smaller limit than the adapter's on the bytes of one binding, to try how work is cut along the batch. */
  readonly maxBindingBytes?: number;
  /** Seconds on a slow GPU that one submission may take, other than usual, to try how they are cut; see `submissions.ts`. */
  readonly submissionSeconds?: number;
  /** Another family of matrix kernels than the one that suits the adapter, to test both on one. */
  readonly family?: KernelTarget["family"];
  /** Other than the adapter's; 0 keeps the kernels from using subgroups. */
  readonly subgroupSize?: number;
  /** Chooses the tiles of matrix products, for example as `autotune` found them; the default ones without. */
  readonly tileFor?: TileFor | undefined;
}

/**
 * Plans `options` for `gpu` and makes everything a run needs: pipelines, the arena, the uniform blocks and every bind
 * group. A run then only writes the inputs, records the same dispatches and submits them, at once where they are no more than
 * a slow GPU does in a second.
 *
 * The program knows its outputs by name and type, as `options` have them. Its inputs it knows where they are said:
 * `compile<{ loss: f32 }, { x: f32; labels: u32 }>(…)`.
 *
 * @throws GpuError when the arena does not fit into memory or a shader does not compile; Error when there is nothing to compute,
 *   and what {@link plan} throws.
 */
export async function compile<
  Outputs extends NamedTypes = NamedTypes,
  Inputs extends InputTypes = InputTypes,
>(gpu: Gpu, options: CompileOptions<Outputs>): Promise<Program<Outputs, Inputs>> {
  if (!("device" in gpu)) throw new Error("compile takes an open Gpu first: await what opens it.");
  const adapter = kernelTarget(gpu, options.tileFor);
  const target: KernelTarget = {
    ...adapter,
    family: options.family ?? adapter.family,
    subgroupSize: options.subgroupSize ?? adapter.subgroupSize,
    maxBindingBytes: options.maxBindingBytes ?? adapter.maxBindingBytes,
  };
  const planned = plan(options, target);
  checkHalf(gpu, planned);
  const variables = options.variables ?? new Variables(gpu);
  const buffers: GPUBuffer[] = [];
  try {
    return await build(gpu, planned, variables, options, buffers);
  } catch (error) {
    for (const buffer of buffers) gpu.destroyBuffer(buffer);
    if (!options.variables) variables.destroy();
    if (!(error instanceof RefusedMatrices)) throw error;
    gpu.refuseMatrix(`its driver does not compile a kernel of them (${error.message})`);
    return compile(gpu, options);
  }
}

/** Thrown where a driver that offers matrices of subgroups does not compile a kernel that multiplies some. */
class RefusedMatrices extends Error {}

async function compilePipeline(gpu: Gpu, kernel: Kernel): Promise<CompiledPipeline> {
  try {
    return await gpu.pipelines.get(kernel);
  } catch (error) {
    const refused =
      kernel.tiling?.request.family === "matrix" &&
      error instanceof GpuError &&
      (error.kind === "validation" || error.kind === "internal");
    if (!refused) throw error;
    const [sentence] = error.message.split("\n");
    throw new RefusedMatrices(sentence, { cause: error });
  }
}

function checkHalf(gpu: Gpu, { dispatches }: Plan): void {
  if (gpu.features.has("shader-f16")) return;
  const half = dispatches
    .flatMap(({ bindings }) => bindings)
    .map(({ owner }) => owner)
    .find(({ dtype }) => dtype === "f16");
  if (!half) return;
  throw new GpuError(
    "unsupported",
    `"${"name" in half ? half.name : "scratch"}" is f16 and ${gpu.adapterName} has no half-precision numbers (the WebGPU ` +
      `feature shader-f16): use f32.`,
  );
}

async function build(
  gpu: Gpu,
  planned: Plan,
  variables: Variables,
  options: CompileOptions,
  buffers: GPUBuffer[],
): Promise<Program> {
  const { dispatches, blocks, blockOf, inputs, summary } = planned;
  const megabytes = Math.ceil(summary.peakBytes / 2 ** 20);
  const compiled = await Promise.all(dispatches.map(({ kernel }) => compilePipeline(gpu, kernel)));
  await variables.allocate(planned.variables);

  return gpu.scoped(`Setting up a program of ${megabytes} MiB on ${gpu.adapterName}`, () => {
    const make = (label: string, bytes: number, usage: number): GPUBuffer => {
      const buffer = gpu.createBuffer(label, bytes, usage);
      buffers.push(buffer);
      return buffer;
    };
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM } = GPUBufferUsage;
    const arena = blocks.map((bytes, i) => make(`arena ${i}`, bytes, STORAGE | COPY_SRC | COPY_DST));
    const inputBuffers = new Map(
      inputs.map((tensor) => [tensor, make(tensor.name, bytesOf(tensor), STORAGE | COPY_DST | COPY_SRC)]),
    );
    const locate = (owner: Binding["owner"]): GPUBuffer => {
      const block = blockOf.get(owner);
      if (block !== undefined) return arena[block];
      if ("scratch" in owner) throw new Error("A scratch buffer was never placed.");
      return inputBuffers.get(owner) ?? variables.buffer(owner);
    };

    // Equal uniform blocks are stored once; all of them in one buffer that is never rewritten.
    const alignment = gpu.limits.minUniformBufferOffsetAlignment;
    const offsets = new Map<string, number>();
    const words: { offset: number; data: ArrayBuffer }[] = [];
    let uniformBytes = 0;
    const uniformOffset = (data: ArrayBuffer): number => {
      const key = new Uint32Array(data).join();
      let offset = offsets.get(key);
      if (offset === undefined) {
        offset = uniformBytes;
        offsets.set(key, offset);
        words.push({ offset, data });
        uniformBytes += Math.ceil(data.byteLength / alignment) * alignment;
      }
      return offset;
    };
    const uniformOffsets = dispatches.map(({ kernel }) =>
      kernel.uniforms ? uniformOffset(kernel.uniforms) : 0,
    );
    const uniforms = make("uniforms", Math.max(uniformBytes, 16), UNIFORM | COPY_DST);
    for (const { offset, data } of words) gpu.device.queue.writeBuffer(uniforms, offset, data);

    const commands = dispatches.map(({ kernel, bindings }, i): Command => {
      const { pipeline, layout } = compiled[i];
      const entries: GPUBindGroupEntry[] = bindings.map(({ owner, offset, bytes }, binding) => ({
        binding,
        resource: { buffer: locate(owner), offset, size: bytes },
      }));
      if (kernel.uniforms) {
        const resource = { buffer: uniforms, offset: uniformOffsets[i], size: kernel.uniforms.byteLength };
        entries.push({ binding: entries.length, resource });
      }
      const bindGroup = gpu.device.createBindGroup({ label: kernel.label, layout, entries });
      return { label: kernel.label, pipeline, bindGroup, workgroups: kernel.workgroups };
    });
    const taps = new Map([...planned.taps].map(([name, { after }]) => [after, name]));
    const work = new Map(planned.hostWork.map((each) => [each.after, each]));
    const cuts = new Set([...taps.keys(), ...work.keys()]);
    let first = 0;
    const submissions = submissionsOf(dispatches, options.submissionSeconds, cuts).map((count) => ({
      commands: commands.slice(first, (first += count)),
      tap: taps.get(first) ?? null,
      hostWork: work.get(first) ?? null,
    }));
    return new Program(gpu, planned, submissions, variables, locate, inputBuffers, () => {
      for (const buffer of buffers) gpu.destroyBuffer(buffer);
      if (!options.variables) variables.destroy();
    });
  });
}
