/// <reference lib="esnext.disposable" preserve="true" />
import type { Gpu } from "../gpu/gpu.ts";
import { readBuffer, StagingRing } from "../gpu/readback.ts";
import { timePasses } from "../gpu/profiler.ts";
import type { DispatchTime } from "../gpu/profiler.ts";
import { float16ToFloat32 } from "../half-floats.ts";
import type { Tensor } from "./graph.ts";
import type { HostWork } from "./host-work.ts";
import type { NamedTypes, Plan, PlanSummary } from "./plan.ts";
import { bytesOf, numbersText, shapeText, sizeOf } from "./shape.ts";
import type { Numbers } from "./shape.ts";
import { TapReader } from "./tap-reader.ts";
import type { RunOptions } from "./tap-reader.ts";
import type { Variables } from "./variables.ts";

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

/** A dispatch that is ready to be recorded. */
export interface Command {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** Commands that are handed to the GPU together. */
export interface Submission {
  readonly commands: readonly Command[];
  /** The name of the tap that has run when they have. */
  readonly tap: string | null;
  /** What the host has to do then. */
  readonly hostWork: HostWork | null;
}

/** A compiled graph: the same work at every {@link run}, on other numbers. */
export class Program<
  Outputs extends NamedTypes = NamedTypes,
  Inputs extends InputTypes = InputTypes,
> implements Disposable {
  /** What runs, and where everything lies. */
  readonly plan: Plan;
  readonly #gpu: Gpu;
  readonly #submissions: readonly Submission[];
  readonly #variables: Variables;
  readonly #locate: (tensor: Tensor) => GPUBuffer;
  readonly #inputs: ReadonlyMap<string, { tensor: Tensor; buffer: GPUBuffer }>;
  readonly #free: () => void;
  readonly #staging: StagingRing;
  readonly #taps: TapReader;
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
    this.#taps = new TapReader(gpu, planned.taps, variables);
  }

  /** What a run costs: dispatches, pipelines, bytes. */
  get summary(): PlanSummary {
    return this.plan.summary;
  }

  /**
   * Writes `feeds`, submits everything and resolves to the outputs' numbers. Several runs may be in flight:
   * the work is submitted before this returns its promise, but for what waits for the host (see {@link RunOptions}).
   *
   * @param fetch which outputs to bring back; all by default. What is not fetched costs no copy and no waiting.
   * @throws Error when a feed is missing, unknown, of another type or of the wrong length, when there is no output that is to
   *   be fetched, or when the program or its variables have been destroyed; what `tapped` throws; GpuError when the device failed.
   */
  async run<Fetched extends keyof Outputs & string = keyof Outputs & string>(
    feeds: Feeds<Inputs>,
    fetch?: readonly Fetched[],
    { tapped, onHost }: RunOptions = {},
  ): Promise<Results<Outputs, Fetched>> {
    this.#check();
    this.#feed(feeds);
    const names: readonly string[] = fetch ?? [...this.plan.outputs.keys()];
    const tensors = names.map((name) => this.#output(name));
    const taps = tapped && this.#taps.follow(tapped);
    const { device } = this.#gpu;
    let encoder = device.createCommandEncoder({ label: "step" });
    const submit = (): void => {
      device.queue.submit([encoder.finish()]);
      encoder = device.createCommandEncoder({ label: "step" });
    };
    const last = this.#submissions.length - 1;
    for (const [i, { commands, tap, hostWork }] of this.#submissions.entries()) {
      const pass = encoder.beginComputePass();
      for (const command of commands) record(pass, command);
      pass.end();
      while (tap !== null && taps?.room) await taps.room;
      const handOver = tap === null ? undefined : taps?.record(encoder, tap);
      const computed = onHost && hostWork ? this.#record(encoder, hostWork.tensors) : null;
      if (i < last || handOver || computed) submit();
      handOver?.();
      if (!onHost || !hostWork || !computed) continue;
      const numbers = (await computed()).map((bytes) => new Float32Array(bytes));
      const made = await onHost(hostWork.what, numbers);
      hostWork.tensors.forEach((tensor, output) => {
        if (made[output]?.length !== numbers[output].length)
          throw new Error(`onHost gives other than ${numbers[output].length} numbers for ${hostWork.what}.`);
        this.#gpu.write(this.#locate(tensor), made[output]);
      });
    }

    const wait = tensors.length > 0 ? this.#record(encoder, tensors) : null;
    device.queue.submit([encoder.finish()]);
    const [bytes] = await Promise.all([wait?.() ?? [], taps?.end()]);
    const results = names.map((name, i) => [name, typed(tensors[i], bytes[i])]);
    return Object.fromEntries(results) as Results<Outputs, Fetched>;
  }

  /**
   * Runs once with a timestamp around every dispatch: what each of `plan.dispatches` took, in nanoseconds. See `kernelTimes`.
   * It is a run like any other, so updates are made; every dispatch is a pass of its own, which takes longer than {@link run}.
   *
   * @throws Error as {@link run} does; GpuError of kind `unsupported` when the adapter lacks the feature `timestamp-query`.
   */
  async profile(feeds: Feeds<Inputs>): Promise<DispatchTime[]> {
    this.#check();
    this.#feed(feeds);
    const times: DispatchTime[] = [];
    for (const { commands } of this.#submissions) {
      const items = commands.map((command) => ({
        label: command.label,
        record: (pass: GPUComputePassEncoder) => record(pass, command),
      }));
      times.push(...(await timePasses(this.#gpu, items)));
    }
    return times;
  }

  /**
   * Brings back one output as the last run left it, in row-major order; f16 is read as f32.
   *
   * @throws Error when there is no such output, or when the program or its variables have been destroyed; GpuError when the
   *   device failed.
   */
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
    this.#taps.destroy();
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

  #record(encoder: GPUCommandEncoder, tensors: readonly Tensor[]): () => Promise<ArrayBuffer[]> {
    const ranges = tensors.map((tensor) => ({
      buffer: this.#locate(tensor),
      offset: 0,
      bytes: bytesOf(tensor),
    }));
    return this.#staging.record(encoder, ranges);
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
    // Nothing at all, from JavaScript: then an input was not fed.
    const given: Partial<Feeds<InputTypes>> = feeds ?? {};
    for (const name of Object.keys(given)) {
      if (!this.#inputs.has(name)) {
        const known = [...this.#inputs.keys()].map((input) => `"${input}"`).join(", ");
        throw new Error(`The program has no input "${name}"; it has ${known || "none"}.`);
      }
    }
    for (const [name, { tensor, buffer }] of this.#inputs) {
      const values: Float32Array | Uint32Array | undefined = given[name];
      if (!values) throw new Error(`The input "${name}" ${shapeText(tensor.shape)} was not fed.`);
      const expected = tensor.dtype === "f32" ? Float32Array : Uint32Array;
      if (!(values instanceof expected) || values.length !== sizeOf(tensor.shape)) {
        throw new Error(
          `The input "${name}" ${shapeText(tensor.shape)} takes a ${expected.name} of ${sizeOf(tensor.shape)} values, and ` +
            `was fed ${numbersText(values)}.`,
        );
      }
      this.#gpu.write(buffer, values);
    }
  }
}

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
