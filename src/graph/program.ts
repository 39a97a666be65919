/// <reference lib="esnext.disposable" preserve="true" />
import { GpuError } from "../gpu/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { CompiledPipeline } from "../gpu/pipelines.ts";
import { readBuffer, StagingRing } from "../gpu/readback.ts";
import { timePasses } from "../gpu/profiler.ts";
import type { DispatchTime } from "../gpu/profiler.ts";
import type { Kernel, KernelTarget } from "../kernels/kernel.ts";
import type { TileFor } from "../kernels/tiling.ts";
import { float16ToFloat32 } from "../half-floats.ts";
import { kernelTarget } from "./kernel-target.ts";
import type { Tensor } from "./graph.ts";
import type { Binding } from "./dispatch.ts";
import { plan } from "./plan.ts";
import type { NamedTypes, Plan, PlanOptions, PlanSummary } from "./plan.ts";
import { bytesOf, shapeText, sizeOf } from "./shape.ts";
import type { Numbers } from "./shape.ts";
import { submissionsOf } from "./submissions.ts";
import { Variables } from "./variables.ts";

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

/** What a program's inputs may be of. */
export type InputTypes = Readonly<Record<string, "f32" | "u32">>;

/** Numbers for a program's inputs, by name, in row-major order. */
export type Feeds<Inputs extends InputTypes = InputTypes> = {
  readonly [Name in keyof Inputs]: Numbers<Inputs[Name]>;
};

/** Numbers of a program's outputs, by name, in row-major order; f16 is read as f32. */
export type Results<
  Outputs extends NamedTypes = NamedTypes,
  Fetched extends keyof Outputs = keyof Outputs,
> = {
  [Name in Fetched]: Numbers<Outputs[Name]>;
};

/** Dispatches that are ready to be recorded and submitted together. */
type Submission = readonly Command[];

/** A dispatch that is ready to be recorded. */
interface Command {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/**
 * Plans `options` for `gpu` and makes everything a run needs: pipelines, the arena, the uniform blocks and every bind
 * group. A run then only writes the inputs, records the same dispatches and submits them, at once where they are no more than
 * a slow GPU does in a second.
 *
 * The program knows its outputs by name and type, as `options` have them. Its inputs it knows where they are said:
 * `compile<{ loss: f32 }, { x: f32; labels: u32 }>(…)`.
 *
 * @throws GpuError when the arena does not fit into memory or a shader does not compile.
 */
export async function compile<
  Outputs extends NamedTypes = NamedTypes,
  Inputs extends InputTypes = InputTypes,
>(gpu: Gpu, options: CompileOptions<Outputs>): Promise<Program<Outputs, Inputs>> {
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
    const arena = blocks.map((bytes, i) => make(`arena ${i}`, bytes, STORAGE | COPY_SRC));
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
    let first = 0;
    const submissions = submissionsOf(dispatches, options.submissionSeconds).map((count): Submission =>
      commands.slice(first, (first += count)),
    );
    return new Program(gpu, planned, submissions, variables, locate, inputBuffers, () => {
      for (const buffer of buffers) gpu.destroyBuffer(buffer);
      if (!options.variables) variables.destroy();
    });
  });
}

/** A compiled graph: the same work at every {@link run}, on other numbers. */
export class Program<
  Outputs extends NamedTypes = NamedTypes,
  Inputs extends InputTypes = InputTypes,
> implements Disposable {
  readonly plan: Plan;
  readonly #gpu: Gpu;
  readonly #submissions: readonly Submission[];
  readonly #variables: Variables;
  readonly #locate: (tensor: Tensor) => GPUBuffer;
  readonly #inputs: ReadonlyMap<string, { tensor: Tensor; buffer: GPUBuffer }>;
  readonly #free: () => void;
  readonly #staging: StagingRing;
  #destroyed = false;

  /** Use {@link compile}. */
  constructor(
    gpu: Gpu,
    planned: Plan,
    submissions: readonly Submission[],
    variables: Variables,
    locate: (tensor: Tensor) => GPUBuffer,
    inputs: ReadonlyMap<Tensor, GPUBuffer>,
    free: () => void,
  ) {
    this.plan = planned;
    this.#gpu = gpu;
    this.#submissions = submissions;
    this.#variables = variables;
    this.#locate = locate;
    this.#inputs = new Map([...inputs].map(([tensor, buffer]) => [tensor.name, { tensor, buffer }]));
    this.#free = free;
    this.#staging = new StagingRing(gpu);
  }

  get summary(): PlanSummary {
    return this.plan.summary;
  }

  /**
   * Writes `feeds`, submits everything and resolves to the outputs' numbers. Several runs may be in flight:
   * the work is submitted before this returns its promise.
   *
   * @param fetch which outputs to bring back; all by default. What is not fetched costs no copy and no waiting.
   * @throws Error when a feed is missing, unknown or of the wrong length, or when the program or its variables have been
   *   destroyed; GpuError when the device failed.
   */
  async run<Fetched extends keyof Outputs & string = keyof Outputs & string>(
    feeds: Feeds<Inputs>,
    fetch?: readonly Fetched[],
  ): Promise<Results<Outputs, Fetched>> {
    this.#check();
    this.#feed(feeds);
    const { device } = this.#gpu;
    let encoder = device.createCommandEncoder({ label: "step" });
    this.#submissions.forEach((commands, i) => {
      if (i > 0) {
        device.queue.submit([encoder.finish()]);
        encoder = device.createCommandEncoder({ label: "step" });
      }
      const pass = encoder.beginComputePass();
      for (const command of commands) record(pass, command);
      pass.end();
    });

    const names: readonly string[] = fetch ?? [...this.plan.outputs.keys()];
    const tensors = names.map((name) => this.#output(name));
    const ranges = tensors.map((tensor) => ({
      buffer: this.#locate(tensor),
      offset: 0,
      bytes: bytesOf(tensor),
    }));
    const wait = ranges.length > 0 ? this.#staging.record(encoder, ranges) : null;
    device.queue.submit([encoder.finish()]);
    const bytes = wait ? await wait() : [];
    const results = names.map((name, i) => [name, typed(tensors[i], bytes[i])]);
    return Object.fromEntries(results) as Results<Outputs, Fetched>;
  }

  /** Runs once with a timestamp around every dispatch; the adapter needs the feature `timestamp-query`. */
  async profile(feeds: Feeds<Inputs>): Promise<DispatchTime[]> {
    this.#check();
    this.#feed(feeds);
    const times: DispatchTime[] = [];
    for (const commands of this.#submissions) {
      const items = commands.map((command) => ({
        label: command.label,
        record: (pass: GPUComputePassEncoder) => record(pass, command),
      }));
      times.push(...(await timePasses(this.#gpu, items)));
    }
    return times;
  }

  /** Brings back one output as the last run left it. */
  async read<Name extends keyof Outputs & string>(name: Name): Promise<Numbers<Outputs[Name]>> {
    this.#check();
    const tensor = this.#output(name);
    const range = { buffer: this.#locate(tensor), offset: 0, bytes: bytesOf(tensor) };
    return typed(tensor, await readBuffer(this.#gpu, range)) as Numbers<Outputs[Name]>;
  }

  /** Frees the arena, the inputs and the uniform blocks; shared variables stay. A second call does nothing. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#staging.destroy();
    this.#free();
  }

  /** {@link destroy}, for `using program = await compile(…)`. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  #check(): void {
    if (this.#destroyed) throw new Error("The program has been destroyed: compile it again to run it.");
    if (this.plan.variables.length > 0) this.#variables.check();
    this.#gpu.check();
  }

  #output(name: string): Tensor {
    const tensor = this.plan.outputs.get(name);
    if (!tensor)
      throw new Error(
        `The program has no output "${name}"; it has ${[...this.plan.outputs.keys()].join(", ")}.`,
      );
    return tensor;
  }

  #feed(feeds: Feeds<Inputs>): void {
    for (const name of Object.keys(feeds)) {
      if (!this.#inputs.has(name)) {
        const known = [...this.#inputs.keys()].map((input) => `"${input}"`).join(", ");
        throw new Error(`The program has no input "${name}"; it has ${known || "none"}.`);
      }
    }
    for (const [name, { tensor, buffer }] of this.#inputs) {
      const values: Float32Array | Uint32Array | undefined = feeds[name];
      if (!values) throw new Error(`The input "${name}" ${shapeText(tensor.shape)} was not fed.`);
      const expected = tensor.dtype === "f32" ? Float32Array : Uint32Array;
      if (!(values instanceof expected) || values.length !== sizeOf(tensor.shape)) {
        throw new Error(
          `The input "${name}" ${shapeText(tensor.shape)} takes a ${expected.name} of ${sizeOf(tensor.shape)} values, and ` +
            `was fed ${fedText(values)}.`,
        );
      }
      this.#gpu.write(buffer, values);
    }
  }
}

const fedText = (values: ArrayLike<number>): string =>
  typeof values === "object" ? `a ${values.constructor.name} of ${values.length}` : `a ${typeof values}`;

function record(pass: GPUComputePassEncoder, { pipeline, bindGroup, workgroups }: Command): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...workgroups);
}

function typed({ dtype, shape }: Tensor, bytes: ArrayBuffer): Float32Array | Uint32Array {
  if (dtype === "u32") return new Uint32Array(bytes);
  return dtype === "f32"
    ? new Float32Array(bytes)
    : float16ToFloat32(new Uint16Array(bytes, 0, sizeOf(shape)));
}
