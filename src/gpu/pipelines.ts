import { withErrorScopes } from "./error-scope.ts";
import { GpuError, toGpuError } from "./errors.ts";

/** How a shader's storage buffers are bound, in order; a uniform block follows when `uniforms` is set. */
export interface PipelineSource {
  readonly label: string;
  readonly wgsl: string;
  readonly bindings: readonly { readonly access: "read" | "read_write" }[];
  readonly uniforms?: ArrayBuffer;
}

export interface CompiledPipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/**
 * Compute pipelines keyed by their WGSL text: the text is all that a pipeline depends on, so no key made by hand can
 * forget something. Compilation is asynchronous and shared between callers that ask for the same text; one that failed is
 * forgotten, for what ended it (no memory left, for example) may be over when the text is asked for again.
 */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #compiled = new Map<string, Promise<CompiledPipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** How many distinct pipelines there are or are being compiled. */
  get size(): number {
    return this.#compiled.size;
  }

  /** @throws GpuError with the compiler's messages when the shader is wrong. */
  get(source: PipelineSource): Promise<CompiledPipeline> {
    let compiled = this.#compiled.get(source.wgsl);
    if (!compiled) {
      compiled = this.#compile(source);
      this.#compiled.set(source.wgsl, compiled);
      compiled.catch(() => this.#compiled.delete(source.wgsl));
    }
    return compiled;
  }

  async #compile({ label, wgsl, bindings, uniforms }: PipelineSource): Promise<CompiledPipeline> {
    const device = this.#device;
    const types: GPUBufferBindingType[] = bindings.map(({ access }) =>
      access === "read" ? "read-only-storage" : "storage",
    );
    if (uniforms) types.push("uniform");
    const { result, caught } = withErrorScopes(device, ["validation", "out-of-memory"], () => {
      const layout = device.createBindGroupLayout({
        label,
        entries: types.map((type, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type },
        })),
      });
      const module = device.createShaderModule({ label, code: wgsl });
      const pending = device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main" },
      });
      return { layout, module, pending };
    });
    const { layout, module, pending } = result;
    try {
      const [pipeline, invalid] = await Promise.all([pending, caught]);
      if (invalid) throw toGpuError(`Kernel "${label}"`, invalid);
      return { pipeline, layout };
    } catch (error) {
      await caught.catch(() => null);
      const { messages } = await module.getCompilationInfo();
      const details = messages
        .filter(({ type }) => type === "error")
        .map(({ lineNum, linePos, message }) => `  line ${lineNum}:${linePos} ${message}`);
      if (details.length === 0) throw toGpuError(`Kernel "${label}" did not compile`, error);
      throw new GpuError("validation", `Kernel "${label}" did not compile:\n${details.join("\n")}\n${wgsl}`);
    }
  }
}
