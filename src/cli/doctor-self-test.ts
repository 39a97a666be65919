import { toGpuError } from "../gpu/errors.ts";
import type { Gpu } from "../gpu/gpu.ts";

const COUNT = 256;
const WORKGROUP = 64;

const WGSL = /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < ${COUNT}u) { y[id.x] = x[id.x] * x[id.x] + 1.0; }
}`;

/** How the self-test went. */
export interface SelfTest {
  ok: boolean;
  /** Compiling, dispatching and reading back, together. */
  milliseconds: number;
  /** What was seen, in a sentence. */
  detail: string;
}

/**
 * Runs one dispatch (y = x² + 1 over 256 numbers) and checks every result on the host. Whole numbers below 2²⁴ leave no
 * room for rounding, so the results must be equal. A failure is told in the result and not thrown.
 */
export async function selfTest(gpu: Gpu): Promise<SelfTest> {
  const start = performance.now();
  const outcome = (ok: boolean, detail: string): SelfTest => ({
    ok,
    milliseconds: Math.round(performance.now() - start),
    detail,
  });
  const x = Float32Array.from({ length: COUNT }, (_, i) => i - COUNT / 2);
  try {
    const y = await dispatch(gpu, x);
    const wrong = x.findIndex((value, i) => y[i] !== value * value + 1);
    if (wrong < 0) return outcome(true, `${COUNT} of ${COUNT} numbers right`);
    return outcome(false, `number ${wrong} is ${y[wrong]} and should be ${x[wrong] ** 2 + 1}`);
  } catch (error) {
    return outcome(false, toGpuError("The self-test failed", error).message);
  }
}

async function dispatch(gpu: Gpu, x: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  const { device } = gpu;
  const buffers: GPUBuffer[] = [];
  const make = (name: string, usage: GPUBufferUsageFlags): GPUBuffer => {
    const buffer = gpu.createBuffer(`self-test ${name}`, x.byteLength, usage);
    buffers.push(buffer);
    return buffer;
  };
  try {
    const { pipeline, layout } = await gpu.pipelines.get({
      label: "self-test",
      wgsl: WGSL,
      bindings: [{ access: "read" }, { access: "read_write" }],
    });
    const staging = await gpu.scoped("The self-test failed", () => {
      const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
      const input = make("x", STORAGE | COPY_DST);
      const output = make("y", STORAGE | COPY_SRC);
      const staging = make("staging", MAP_READ | COPY_DST);
      device.queue.writeBuffer(input, 0, x);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout,
          entries: [
            { binding: 0, resource: { buffer: input } },
            { binding: 1, resource: { buffer: output } },
          ],
        }),
      );
      pass.dispatchWorkgroups(Math.ceil(COUNT / WORKGROUP));
      pass.end();
      encoder.copyBufferToBuffer(output, 0, staging, 0, x.byteLength);
      device.queue.submit([encoder.finish()]);
      return staging;
    });
    await staging.mapAsync(GPUMapMode.READ);
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    for (const buffer of buffers) gpu.destroyBuffer(buffer);
  }
}
