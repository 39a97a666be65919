/** @file What an adapter does at best, measured: the yardsticks of every kernel. */
import type { Gpu } from "../src/gpu/gpu.ts";

export interface Ceilings {
  /** Of f32, by a loop of fused multiply-adds in registers. */
  readonly gflopPerSecond: number;
  /** Read and written, by a kernel that copies a large buffer. */
  readonly gbPerSecond: number;
}

/** Independent sums of four floats an invocation: few enough for a CPU's registers, or enough to hide a GPU's latency. */
const CHAINS = [2, 4, 8];
/** Fused multiply-adds of each sum in one turn of the loop: what is carried from turn to turn costs an adapter on the CPU. */
const UNROLLED = 32;
const TURNS = 32;
const WORKGROUP = 256;
/** Measurements; the best one counts. */
const TRIES = 5;

export async function measureCeilings(gpu: Gpu): Promise<Ceilings> {
  return { gflopPerSecond: await measureFma(gpu), gbPerSecond: await measureCopy(gpu) };
}

/** Which ceiling a piece of work meets first, and the milliseconds that it would take there. */
export function idealTime(
  { flops, bytes }: { readonly flops: number | null; readonly bytes: number },
  { gflopPerSecond, gbPerSecond }: Ceilings,
): { ms: number; bound: "arithmetic" | "memory" } {
  const arithmetic = (flops ?? 0) / gflopPerSecond / 1e6;
  const memory = bytes / gbPerSecond / 1e6;
  return arithmetic > memory ? { ms: arithmetic, bound: "arithmetic" } : { ms: memory, bound: "memory" };
}

/** The best of several kernels that do nothing but fused multiply-adds in registers, in GFLOP/s of f32. */
export async function measureFma(gpu: Gpu): Promise<number> {
  let best = 0;
  for (const chains of CHAINS) best = Math.max(best, await fmaRate(gpu, chains));
  return best;
}

async function fmaRate(gpu: Gpu, chains: number): Promise<number> {
  const names = Array.from({ length: chains }, (_, i) => `a${i}`);
  const steps = names.map((name) => `${name} = fma(${name}, m, c);`).join(" ");
  const wgsl = `
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {
  // Both unknown to the compiler, and such that no sum overflows or becomes denormal.
  let m = 0.5 + vec4f(f32(id.x & 7u)) * 0.01;
  let c = vec4f(f32(id.x & 3u) + 1.0);
${names.map((name, i) => `  var ${name} = c + ${i}.0;`).join("\n")}
  for (var i = 0u; i < ${TURNS}u; i++) {
${`    ${steps}\n`.repeat(UNROLLED)}  }
  y[id.x & 255u] = ${names.join(" + ")};
}`;
  const bindings = [{ access: "read_write" as const }];
  const buffers = [gpu.createBuffer("fma ceiling", 16 * 256, GPUBufferUsage.STORAGE)];
  const workgroups = gpu.isSoftware ? 256 : 16384;
  const ms = await fastest(gpu, { label: "fma ceiling", wgsl, bindings }, buffers, workgroups, 1);
  return (2 * 4 * chains * UNROLLED * TURNS * WORKGROUP * workgroups) / ms / 1e6;
}

async function measureCopy(gpu: Gpu): Promise<number> {
  const bytes = Math.min(gpu.isSoftware ? 2 ** 26 : 2 ** 29, gpu.limits.maxStorageBufferBindingSize & ~15);
  const wgsl = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < arrayLength(&x); i += ${WORKGROUP}u * groups.x) {
    y[i] = x[i];
  }
}`;
  const bindings = [{ access: "read" as const }, { access: "read_write" as const }];
  const buffers = bindings.map(() => gpu.createBuffer("copy ceiling", bytes, GPUBufferUsage.STORAGE));
  const workgroups = Math.min(4096, bytes / 16 / WORKGROUP);
  const kernel = { label: "copy ceiling", wgsl, bindings };
  const ms = await fastest(gpu, kernel, buffers, workgroups, gpu.isSoftware ? 1 : 20);
  return (2 * bytes) / ms / 1e6;
}

/** Milliseconds of the fastest run of a kernel on `buffers`, which are freed. */
async function fastest(
  gpu: Gpu,
  kernel: Parameters<Gpu["pipelines"]["get"]>[0],
  buffers: readonly GPUBuffer[],
  workgroups: number,
  repeats: number,
): Promise<number> {
  const { pipeline, layout } = await gpu.pipelines.get(kernel);
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const bindGroup = gpu.device.createBindGroup({ layout, entries });
  const run = async (): Promise<number> => {
    const start = performance.now();
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(workgroups);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.idle();
    return (performance.now() - start) / repeats;
  };
  await run();
  let best = Infinity;
  for (let i = 0; i < TRIES; i++) best = Math.min(best, await run());
  for (const buffer of buffers) gpu.destroyBuffer(buffer);
  return best;
}
