import { GpuError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { timePasses } from "../../gpu/profiler.ts";
import type { Work } from "./products.ts";
import type { Timer } from "./search.ts";

/** A measurement repeats the work for about so many milliseconds: far above what the clock is exact to. */
const DURATION = { hardware: 2, software: 20 } as const;
const MAX_REPEATS = 500;

/** Work that is ready to be recorded. */
interface Ready {
  readonly record: (pass: GPUComputePassEncoder) => void;
  readonly repeats: number;
}

/**
 * Times work on the adapter, over buffers of its own that hold zeros: by timestamps where the adapter has them, else by the
 * wall clock.
 */
export class GpuTimer implements Timer {
  readonly #gpu: Gpu;
  /** Shared by all works: the largest buffer of each, the second largest of each, and so on. */
  readonly #buffers: GPUBuffer[] = [];
  readonly #uniforms: GPUBuffer[] = [];
  readonly #ready = new Map<Work, Ready>();

  private constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /**
   * A timer for any of `works`.
   *
   * @throws GpuError when there is no memory for their buffers.
   */
  static async create(gpu: Gpu, works: Iterable<Work>): Promise<GpuTimer> {
    const sizes: number[] = [];
    for (const work of works) {
      [...bytesByOwner(work).values()].forEach((bytes, i) => (sizes[i] = Math.max(sizes[i] ?? 0, bytes)));
    }
    const timer = new GpuTimer(gpu);
    try {
      await gpu.scoped("Setting up the timing of kernels", () => {
        for (const bytes of sizes)
          timer.#buffers.push(gpu.createBuffer("timed", bytes, GPUBufferUsage.STORAGE));
      });
      return timer;
    } catch (error) {
      timer.destroy();
      throw error;
    }
  }

  async compile(work: Work): Promise<string | null> {
    try {
      await Promise.all(work.map(({ kernel }) => this.#gpu.pipelines.get(kernel)));
      return null;
    } catch (error) {
      if (!(error instanceof GpuError) || error.kind === "lost") throw error;
      return error.message.split("\n", 1)[0];
    }
  }

  async time(work: Work): Promise<number> {
    let ready = this.#ready.get(work);
    if (!ready) {
      const record = await this.#prepare(work);
      // The first run warms up.
      await this.#milliseconds({ record, repeats: 1 });
      const duration = DURATION[this.#gpu.isSoftware ? "software" : "hardware"];
      const once = await this.#milliseconds({ record, repeats: 1 });
      ready = { record, repeats: Math.max(1, Math.min(MAX_REPEATS, Math.round(duration / once))) };
      this.#ready.set(work, ready);
    }
    return this.#milliseconds(ready);
  }

  destroy(): void {
    for (const buffer of [...this.#buffers, ...this.#uniforms]) this.#gpu.destroyBuffer(buffer);
  }

  async #prepare(work: Work): Promise<Ready["record"]> {
    const gpu = this.#gpu;
    const compiled = await Promise.all(work.map(({ kernel }) => gpu.pipelines.get(kernel)));
    const owners = [...bytesByOwner(work).keys()];
    return gpu.scoped("Setting up the timing of kernels", () => {
      const commands = work.map(({ kernel, bindings }, i) => {
        const { pipeline, layout } = compiled[i];
        const entries: GPUBindGroupEntry[] = bindings.map(({ owner, bytes }, binding) => ({
          binding,
          resource: { buffer: this.#buffers[owners.indexOf(owner)], offset: 0, size: bytes },
        }));
        if (kernel.uniforms) {
          const { UNIFORM, COPY_DST } = GPUBufferUsage;
          const buffer = gpu.createBuffer("uniforms", kernel.uniforms.byteLength, UNIFORM | COPY_DST);
          this.#uniforms.push(buffer);
          gpu.device.queue.writeBuffer(buffer, 0, kernel.uniforms);
          entries.push({ binding: entries.length, resource: { buffer } });
        }
        return { kernel, pipeline, bindGroup: gpu.device.createBindGroup({ layout, entries }) };
      });
      return (pass) => {
        for (const { kernel, pipeline, bindGroup } of commands) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, bindGroup);
          pass.dispatchWorkgroups(...kernel.workgroups);
        }
      };
    });
  }

  /** Of one run, by so many in one pass. */
  async #milliseconds({ record, repeats }: Ready): Promise<number> {
    const all = (pass: GPUComputePassEncoder): void => {
      for (let i = 0; i < repeats; i++) record(pass);
    };
    const gpu = this.#gpu;
    if (gpu.features.has("timestamp-query")) {
      const [{ nanoseconds }] = await timePasses(gpu, [{ label: "timed", record: all }]);
      // A coarse clock may not have moved.
      if (nanoseconds > 0) return nanoseconds / 1e6 / repeats;
    }
    const start = performance.now();
    const encoder = gpu.device.createCommandEncoder({ label: "timing" });
    const pass = encoder.beginComputePass();
    all(pass);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.idle();
    return (performance.now() - start) / repeats;
  }
}

/** Bytes that a work binds of each tensor or scratch buffer, largest first. */
function bytesByOwner(work: Work): Map<Work[number]["bindings"][number]["owner"], number> {
  const sizes = new Map<Work[number]["bindings"][number]["owner"], number>();
  for (const { owner, bytes } of work.flatMap(({ bindings }) => bindings)) {
    sizes.set(owner, Math.max(sizes.get(owner) ?? 0, bytes));
  }
  return new Map([...sizes].sort(([, a], [, b]) => b - a));
}
