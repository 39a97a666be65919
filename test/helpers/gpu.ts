import { afterAll, beforeAll } from "vitest";
import { openGpu } from "../../src/adapter/open-gpu.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { emulateMatrices, mustEmulate, usesMatrices } from "./emulated-matrices.ts";
import type { EmulatedOperands } from "./emulated-matrices.ts";

type Numbers = Float32Array | Uint32Array;

/** Opens a device for the tests of one file and closes it after them. */
export function useGpu(): () => Gpu {
  let gpu: Gpu | undefined;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu?.destroy());
  return () => gpu!;
}

/**
 * Runs kernels one after the other over named buffers and brings back those asked for. `buffers`: the numbers to begin
 * with, or a length for zeros; the kernels' binding names pick among them. Subgroup matrices are emulated where the adapter
 * has none.
 *
 * @param operands of emulated matrices; see `emulateMatrices`
 */
export async function runKernels(
  gpu: Gpu,
  kernels: readonly Kernel[],
  buffers: Readonly<Record<string, Numbers | number>>,
  read: readonly string[],
  operands?: EmulatedOperands,
): Promise<Record<string, Float32Array>> {
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const made: GPUBuffer[] = [];
  const make = (label: string, values: Numbers, usage: number): GPUBuffer => {
    const buffer = gpu.createBuffer(label, values.byteLength, usage | COPY_DST | COPY_SRC);
    gpu.device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
    made.push(buffer);
    return buffer;
  };
  const named = new Map(
    Object.entries(buffers).map(([name, values]) => [
      name,
      make(name, typeof values === "number" ? new Float32Array(values) : values, STORAGE),
    ]),
  );
  try {
    for (const kernel of kernels) {
      const emulated = usesMatrices(kernel) && mustEmulate(gpu);
      const { pipeline, layout } = await gpu.pipelines.get(
        emulated ? emulateMatrices(kernel, operands) : kernel,
      );
      await gpu.scoped(`Running ${kernel.label}`, () => {
        const resources = kernel.bindings.map(({ name }) => {
          const buffer = named.get(name);
          if (!buffer) throw new Error(`${kernel.label}: no buffer "${name}".`);
          return { buffer };
        });
        if (kernel.uniforms) {
          resources.push({ buffer: make("uniforms", new Uint32Array(kernel.uniforms), UNIFORM) });
        }
        const entries = resources.map((resource, binding) => ({ binding, resource }));
        const bindGroup = gpu.device.createBindGroup({ layout, entries });
        const encoder = gpu.device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...kernel.workgroups);
        pass.end();
        gpu.device.queue.submit([encoder.finish()]);
      });
    }
    const results: Record<string, Float32Array> = {};
    for (const name of read) {
      const buffer = named.get(name)!;
      results[name] = new Float32Array(await readBuffer(gpu, { buffer, offset: 0, bytes: buffer.size }));
    }
    return results;
  } finally {
    for (const buffer of made) gpu.destroyBuffer(buffer);
  }
}
