/**
 * @file Times the convolution kernels on the U-Net's own shapes: `npm run bench:conv2d -- [image size] [batch]`.
 *
 * Prints GFLOP/s of the wall clock and, as other programs' work on the same cores distorts that on a software adapter,
 * of the CPU time that this process spends, spread over all cores. Waits without Dawn's busy polling; see `settle`.
 */
import { availableParallelism } from "node:os";
import { openGpu } from "../src/cli/open-gpu.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { conv2dBackwardData } from "../src/kernels/conv2d/backward-data.ts";
import { conv2dBackwardWeights, sumPartials } from "../src/kernels/conv2d/backward-weights.ts";
import { conv2dForward } from "../src/kernels/conv2d/forward.ts";
import { conv2dGeometry } from "../src/kernels/conv2d/geometry.ts";
import type { Conv2dGeometry } from "../src/kernels/conv2d/geometry.ts";
import type { Kernel } from "../src/kernels/kernel.ts";
import { kernelTarget } from "../src/kernels/target.ts";

const [size = 128, batch = 2] = process.argv.slice(2).map(Number);
const RUNS = 5;
/** Every measurement runs its kernels as often as it takes to last about this long, in milliseconds. */
const DURATION = 60;

const conv = (height: number, channels: number, filters: number, kernel: number): Conv2dGeometry =>
  conv2dGeometry([batch, height, height, channels], [kernel, kernel, channels, filters], {
    strides: 1,
    padding: "same",
  });
const transposed = (height: number, channels: number, filters: number): Conv2dGeometry =>
  conv2dGeometry([batch, 2 * height, 2 * height, filters], [3, 3, filters, channels], {
    strides: 2,
    padding: "same",
  });

const LAYERS: Record<string, Conv2dGeometry> = {
  "7×7/2 3→64": conv2dGeometry([batch, size, size, 3], [7, 7, 3, 64], {
    strides: 2,
    padding: { top: 3, bottom: 3, left: 3, right: 3 },
  }),
  "1×1 160→128 S/4": conv(size / 4, 160, 128, 1),
  "3×3 128→32 S/4": conv(size / 4, 128, 32, 3),
  "1×1 320→128 S/8": conv(size / 8, 320, 128, 1),
  "3×3 128→32 S/8": conv(size / 8, 128, 32, 3),
  "1×1 640→128 S/16": conv(size / 16, 640, 128, 1),
  "3×3 128→32 S/16": conv(size / 16, 128, 32, 3),
  "1×1 768→128 S/32": conv(size / 32, 768, 128, 1),
  "3×3 128→32 S/32": conv(size / 32, 128, 32, 3),
  "1×1 256→128 S/4": conv(size / 4, 256, 128, 1),
  "1×1 512→256 S/8": conv(size / 8, 512, 256, 1),
  "1×1 1024→512 S/16": conv(size / 16, 1024, 512, 1),
  "T 3×3/2 1024→512 S/32": transposed(size / 32, 1024, 512),
  "T 3×3/2 1536→256 S/16": transposed(size / 16, 1536, 256),
  "T 3×3/2 768→128 S/8": transposed(size / 8, 768, 128),
  "T 3×3/2 384→64 S/4": transposed(size / 4, 384, 64),
  "T 3×3/2 128→59 S/2": transposed(size / 2, 128, 59),
};

/** A kernel and, by the names of its bindings, the buffers of the table that it runs on. */
type Item = readonly [kernel: Kernel, buffers: Record<string, string>];

/** Waits for the GPU, asleep but for one look a millisecond: while a promise of Dawn's is pending, it polls all the time. */
async function settle(gpu: Gpu): Promise<void> {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  let pending = true;
  const done = gpu.idle().finally(() => (pending = false));
  while (pending) {
    Atomics.wait(cell, 0, 0, 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await done;
}

/** Milliseconds of one run of all items: of the first (which compiles), and the best of the wall clock and of the CPU. */
async function measure(
  gpu: Gpu,
  items: readonly Item[],
  lengths: Record<string, number>,
): Promise<{ first: number; wall: number; cpu: number }> {
  const { STORAGE, UNIFORM, COPY_DST } = GPUBufferUsage;
  const buffers = new Map<string, GPUBuffer>();
  for (const [name, length] of Object.entries(lengths)) {
    const buffer = gpu.createBuffer(name, 4 * length, STORAGE | COPY_DST);
    const values = Float32Array.from({ length }, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5);
    gpu.device.queue.writeBuffer(buffer, 0, values);
    buffers.set(name, buffer);
  }
  const prepared = await Promise.all(
    items.map(async ([kernel, names], i) => {
      const { pipeline, layout } = await gpu.pipelines.get(kernel);
      const uniforms = gpu.createBuffer("uniforms", kernel.uniforms!.byteLength, UNIFORM | COPY_DST);
      gpu.device.queue.writeBuffer(uniforms, 0, kernel.uniforms!);
      buffers.set(`uniforms ${i}`, uniforms);
      const bound = [...kernel.bindings.map(({ name }) => buffers.get(names[name] ?? name)!), uniforms];
      const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
      return { kernel, pipeline, bindGroup: gpu.device.createBindGroup({ layout, entries }) };
    }),
  );
  const run = async (repeats: number): Promise<{ wall: number; cpu: number }> => {
    const [start, cpuStart] = [performance.now(), process.cpuUsage()];
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < repeats; i++) {
      for (const { kernel, pipeline, bindGroup } of prepared) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...kernel.workgroups);
      }
    }
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    await settle(gpu);
    const { user, system } = process.cpuUsage(cpuStart);
    return { wall: (performance.now() - start) / repeats, cpu: (user + system) / 1000 / repeats };
  };
  const first = (await run(1)).wall;
  const repeats = Math.max(1, Math.min(100, Math.round(DURATION / (await run(1)).wall)));
  let [wall, cpu] = [Infinity, Infinity];
  for (let i = 0; i < RUNS; i++) {
    const time = await run(repeats);
    wall = Math.min(wall, time.wall);
    cpu = Math.min(cpu, time.cpu / availableParallelism());
  }
  for (const buffer of buffers.values()) gpu.destroyBuffer(buffer);
  return { first, wall, cpu };
}

const gpu = await openGpu();
const target = kernelTarget(gpu);
console.log(`${gpu.adapterName}: ${target.family} tiles, ${batch} images of ${size}²`);
const rows: Record<string, Record<string, string | number>> = {};
for (const [name, g] of Object.entries(LAYERS)) {
  const x = g.batch * g.inHeight * g.inWidth * g.inChannels;
  const y = g.batch * g.outHeight * g.outWidth * g.outChannels;
  const w = g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels;
  const flops = 2 * g.batch * g.outHeight * g.outWidth * w;
  const weights = conv2dBackwardWeights(target, g);
  const products: Record<string, [Item[], Record<string, number>]> = {
    forward: [[[conv2dForward(target, g), {}]], { x, w, y }],
    "by data": [[[conv2dBackwardData(target, g), {}]], { dy: y, w, dx: x }],
    "by weights":
      weights.splits === 1
        ? [[[weights.partial, {}]], { x, dy: y, dw: w }]
        : [
            [
              [weights.partial, { dw: "partials" }],
              [sumPartials(target, w, weights.splits), {}],
            ],
            { x, dy: y, partials: w * weights.splits, dw: w },
          ],
  };
  const row: Record<string, string | number> = { MFLOP: Math.round(flops / 1e6) };
  for (const [product, [items, lengths]] of Object.entries(products)) {
    const known = gpu.pipelines.size;
    const { first, wall, cpu } = await measure(gpu, items, lengths);
    const compiled = gpu.pipelines.size > known ? `, first ${first.toFixed(0)} ms` : "";
    row[product] = `${(flops / wall / 1e6).toFixed(1)} (cpu ${(flops / cpu / 1e6).toFixed(1)})${compiled}`;
  }
  rows[name] = row;
}
console.table(rows);
console.log(`GFLOP/s of the wall clock (of the CPU time); ${gpu.pipelines.size} distinct pipelines.`);
gpu.destroy();
