// For whoever type-checks against the declarations: without it they would have to name these types themselves.
/// <reference types="@webgpu/types" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
import { withErrorScopes } from "./error-scope.ts";
import type { SynchronousWork } from "./error-scope.ts";
import { GpuError, toGpuError } from "./errors.ts";
import { PipelineCache } from "./pipelines.ts";
import { probeMatrix } from "./probe-matrix.ts";
import { requestDevice } from "./request-device.ts";
import { offeredMatrix } from "./subgroup-matrix.ts";
import type { SubgroupMatrix } from "./subgroup-matrix.ts";

/** Features asked for wherever the adapter has them. */
const WANTED_FEATURES = [
  "subgroups",
  "subgroup-size-control",
  "shader-f16",
  "timestamp-query",
] as GPUFeatureName[];

/** Those of Dawn's that are in no standard yet. */
const WANTED_EXPERIMENTS = ["chromium-experimental-subgroup-matrix" as GPUFeatureName];

/** Limits raised to what the adapter really offers (WebGPU's defaults are those of a phone). */
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
  "minStorageBufferOffsetAlignment",
  "minUniformBufferOffsetAlignment",
] as const;

/** What a host says of itself when it opens a device. */
export interface GpuOptions {
  /**
   * How to wait for what the GPU is still working on. Without it the promise is simply awaited, which is right in a
   * browser; a host whose WebGPU keeps a core busy while it waits can do better.
   */
  readonly waitFor?: <T>(promise: Promise<T>) => Promise<T>;
  /** Told in a sentence, once, what the adapter promises and does not keep; `console.warn` without it. */
  readonly warn?: (sentence: string) => void;
  /** Whether the driver compiles for a card that is not there, so that nothing may be run. */
  readonly compilesOnly?: boolean;
}

/**
 * An open device: the one place where buffers are made and counted, pipelines are cached and errors surface.
 *
 * Needs a browser's or Dawn's WebGPU globals (`GPUBufferUsage`, `GPUMapMode`) to be in scope.
 */
export class Gpu implements Disposable {
  /** WebGPU's device, for what this class does not do. Buffers made with it are not counted. */
  readonly device: GPUDevice;
  /** What WebGPU tells of the adapter. */
  readonly info: GPUAdapterInfo;
  /** The limits that the device was opened with: the adapter's own, where it keeps them. */
  readonly limits: GPUSupportedLimits;
  /** The features that the device was opened with, e.g. `shader-f16`, `timestamp-query`. */
  readonly features: ReadonlySet<string>;
  /** Compiled shaders, by their text. */
  readonly pipelines: PipelineCache;
  /** Waits for one of WebGPU's promises in the way that is best where this runs; see {@link GpuOptions}. */
  readonly waitFor: <T>(promise: Promise<T>) => Promise<T>;
  /** See {@link GpuOptions}. */
  readonly compilesOnly: boolean;
  /** Bytes of all buffers that are alive. */
  bytes = 0;
  /** The most that {@link bytes} has been. */
  peakBytes = 0;

  /** How subgroups multiply matrices, or in a sentence why they do not. */
  #matrix: SubgroupMatrix | string = "not looked for";
  readonly #warn: (sentence: string) => void;
  #failure: GpuError | null = null;
  #destroyed = false;
  readonly #buffers = new Set<GPUBuffer>();

  private constructor(
    device: GPUDevice,
    info: GPUAdapterInfo,
    {
      waitFor = (promise) => promise,
      warn = (sentence) => console.warn(sentence),
      compilesOnly = false,
    }: GpuOptions,
  ) {
    this.compilesOnly = compilesOnly;
    this.device = device;
    this.waitFor = waitFor;
    this.#warn = warn;
    this.info = info;
    this.limits = device.limits;
    this.features = new Set(device.features as Iterable<string>);
    this.pipelines = new PipelineCache(device);
    device.addEventListener("uncapturederror", (event) => {
      // Not prevented, native code prints it in the middle of whatever is on the terminal.
      event.preventDefault();
      this.#failure ??= toGpuError("The GPU reported an error", event.error);
    });
    void device.lost.then(({ reason, message }) => {
      if (this.#destroyed) return;
      this.#failure = new GpuError(
        "lost",
        `The GPU device was lost (${reason || "unknown"}): ${message.trim()}`,
      );
    });
  }

  /**
   * Opens a device on `adapter` with the adapter's own limits and every useful feature it has, or where it refuses these with
   * less, of which is warned once. Where it offers matrices of subgroups, one dispatch tries whether they are right.
   *
   * @throws GpuError when the adapter hands out no device.
   */
  static async create(adapter: GPUAdapter, options: GpuOptions = {}): Promise<Gpu> {
    const has = (name: GPUFeatureName): boolean => adapter.features.has(name);
    const { device, lacking } = await requestDevice(adapter, {
      features: WANTED_FEATURES.filter(has),
      experimental: WANTED_EXPERIMENTS.filter(has),
      limits: Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]])),
    });
    try {
      const gpu = new Gpu(device, adapter.info, options);
      if (lacking !== null) gpu.#warn(lacking);
      await gpu.#tryMatrix();
      return gpu;
    } catch (error) {
      throw toGpuError(`The adapter "${adapter.info.description}" gave no device`, error);
    }
  }

  /** The adapter's name as its driver gives it. */
  get adapterName(): string {
    const { description, device, vendor } = this.info;
    return description || device || vendor || "unknown adapter";
  }

  /** How a subgroup multiplies matrices; null where it does not, and then {@link noMatrixReason} says why. */
  get subgroupMatrix(): SubgroupMatrix | null {
    return typeof this.#matrix === "string" ? null : this.#matrix;
  }

  /** In half a sentence why there are no matrices; null where there are. */
  get noMatrixReason(): string | null {
    return typeof this.#matrix === "string" ? this.#matrix : null;
  }

  async #tryMatrix(): Promise<void> {
    const offered = offeredMatrix(this);
    this.#matrix = offered;
    if (typeof offered === "string") return;
    const found = await probeMatrix(this, offered);
    if (typeof found === "string") this.refuseMatrix(found);
    else this.#matrix = found;
  }

  /** From now on kernels are made without matrices of subgroups, for `reason`; says so once. */
  refuseMatrix(reason: string): void {
    if (this.subgroupMatrix)
      this.#warn(
        `${this.adapterName} offers matrices of subgroups, but ${reason}: products are computed without them.`,
      );
    this.#matrix = reason;
  }

  /** Whether the adapter runs on the CPU (lavapipe, SwiftShader, WARP). */
  get isSoftware(): boolean {
    return this.info.isFallbackAdapter || /llvmpipe|swiftshader|basic render/i.test(this.adapterName);
  }

  /**
   * Reports what the device has said since the last call; everything that runs programs calls it.
   *
   * @throws GpuError when there was something, when the device was lost, or when it has been destroyed.
   */
  check(): void {
    if (this.#destroyed) throw new GpuError("lost", "The GPU device has been destroyed.");
    const failure = this.#failure;
    if (failure === null) return;
    // A lost device stays lost; anything else is reported once.
    if (failure.kind !== "lost") this.#failure = null;
    throw failure;
  }

  /**
   * Makes a buffer of at least `bytes` bytes (rounded up to 4), counted in {@link Gpu.bytes} until {@link destroyBuffer}.
   *
   * @throws GpuError of kind `unsupported` when it is larger than the adapter's `maxBufferSize`. Running out of memory
   *   is reported by the error scope the call is made in (see {@link scoped}) or by the next {@link check}.
   */
  createBuffer(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    if (size > this.limits.maxBufferSize) {
      throw new GpuError(
        "unsupported",
        `"${label}" needs a buffer of ${size} bytes and ${this.adapterName} allows ${this.limits.maxBufferSize}: ` +
          `use a smaller batch or image size.`,
      );
    }
    const buffer = this.device.createBuffer({ label, size, usage });
    this.bytes += buffer.size;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
    this.#buffers.add(buffer);
    return buffer;
  }

  /**
   * Writes `values` into a buffer, from byte `offset` on, before what is submitted next. Numbers that threads share are
   * copied first: WebGPU takes no shared memory, and Dawn's Node bindings crash on it.
   */
  write(buffer: GPUBuffer, values: Float32Array | Uint32Array, offset = 0): void {
    const own = values.buffer instanceof ArrayBuffer ? values : values.slice();
    this.device.queue.writeBuffer(buffer, offset, own as Float32Array<ArrayBuffer>);
  }

  /** Frees a buffer at once: the garbage collector does not see GPU memory. */
  destroyBuffer(buffer: GPUBuffer): void {
    if (!this.#buffers.delete(buffer)) return;
    this.bytes -= buffer.size;
    buffer.destroy();
  }

  /**
   * Runs `work` inside error scopes. The work must be done when it returns: scopes that stayed open over an `await` would catch
   * the errors of others.
   *
   * @throws GpuError what the scopes caught or the work threw, with a message that begins with `what`, but for a GpuError or a
   *   plain Error of the work, which are thrown as they are; and as {@link check} does.
   */
  async scoped<T>(what: string, work: SynchronousWork<T>): Promise<T> {
    this.check();
    const { result, caught } = withErrorScopes(this.device, ["validation", "out-of-memory", "internal"], () =>
      attempt(work as () => T),
    );
    const error = await caught;
    if (error) throw toGpuError(what, error);
    if ("thrown" in result) {
      // A sentence of ours about what was asked for is none about the device.
      const { thrown } = result;
      throw Object.getPrototypeOf(thrown) === Error.prototype ? thrown : toGpuError(what, thrown);
    }
    return result.value;
  }

  /**
   * Resolves when everything submitted so far has run.
   *
   * @throws GpuError as {@link check} does, before or after.
   */
  async idle(): Promise<void> {
    this.check();
    await this.waitFor(this.device.queue.onSubmittedWorkDone());
    this.check();
  }

  /** Frees every buffer and the device; what is used afterwards throws a `GpuError`. A second call does nothing. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers.clear();
    this.bytes = 0;
    this.device.destroy();
  }

  /** {@link destroy}, for `using gpu = await openGpu()`. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}

function attempt<T>(work: () => T): { readonly value: T } | { readonly thrown: unknown } {
  try {
    return { value: work() };
  } catch (thrown) {
    return { thrown };
  }
}
