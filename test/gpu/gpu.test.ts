import { describe, expect, it } from "vitest";
import { openGpu } from "../../src/adapter/open-gpu.ts";
import { openAdapter } from "../../src/adapter/adapters.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { GpuError } from "../../src/gpu/errors.ts";
import { readBuffer, StagingRing } from "../../src/gpu/readback.ts";
import { timePasses } from "../../src/gpu/profiler.ts";
import { defineKernel } from "../../src/kernels/kernel.ts";
import { fillForward } from "../../src/kernels/fill.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { useGpu } from "../helpers/gpu.ts";

describe("Gpu", () => {
  const gpu = useGpu();

  it("counts the bytes of its buffers", () => {
    const before = gpu().bytes;
    const buffer = gpu().createBuffer("three bytes", 3, GPUBufferUsage.STORAGE);
    expect(gpu().bytes - before).toBe(4);
    gpu().destroyBuffer(buffer);
    gpu().destroyBuffer(buffer);
    expect(gpu().bytes).toBe(before);
    expect(gpu().peakBytes).toBeGreaterThanOrEqual(before + 4);
  });

  it("refuses a buffer larger than the adapter allows in one sentence", () => {
    const bytes = gpu().limits.maxBufferSize + 4;
    expect(() => gpu().createBuffer("logits", bytes, GPUBufferUsage.STORAGE)).toThrow(
      /"logits" needs a buffer of/,
    );
  });

  it("throws an error without a caller at the next call, once", async () => {
    gpu().device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    await expect(gpu().idle()).rejects.toMatchObject({ name: "GpuError", kind: "validation" });
    await gpu().idle();
  });

  it("throws what an error scope caught, with what was being done", async () => {
    const invalid = (): GPUBuffer =>
      gpu().device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    await expect(gpu().scoped("Making a buffer", invalid)).rejects.toThrow(/^Making a buffer: /);
    expect(await gpu().scoped("Counting", () => 3)).toBe(3);
    // @ts-expect-error Work that goes on after it has returned would keep the scopes open for others.
    expect(await gpu().scoped("Counting", () => Promise.resolve(3))).toBe(3);
  });

  it("gives each of two that work at once its own error", async () => {
    const invalid = (): GPUBuffer =>
      gpu().device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    const outcomes = await Promise.allSettled([
      gpu().scoped("The first", invalid),
      gpu().scoped("The second", () => 2),
      gpu().scoped("The third", () => {
        throw new RangeError("no number");
      }),
      gpu().scoped("The fourth", () => 4),
      // A sentence of ours, that needs no other before it.
      gpu().scoped("The fifth", () => {
        throw new Error("no such name");
      }),
    ]);
    expect(outcomes).toMatchObject([
      { reason: { kind: "validation", message: expect.stringMatching(/^The first: /) as string } },
      { value: 2 },
      { reason: { message: "The third: no number" } },
      { value: 4 },
      { reason: { name: "Error", message: "no such name" } },
    ]);
    await gpu().idle();
  });

  it("compiles again what failed for want of memory once", async () => {
    const { device } = gpu();
    const kernel = fillForward(kernelTarget(gpu()), 7, 1);
    const other = { ...kernel, wgsl: `// Compiled by nobody else.\n${kernel.wgsl}` };
    const real = device.createComputePipelineAsync.bind(device);
    device.createComputePipelineAsync = () => Promise.reject(new Error("no memory"));
    try {
      await expect(gpu().pipelines.get(other)).rejects.toThrow("no memory");
    } finally {
      device.createComputePipelineAsync = real;
    }
    expect(await gpu().pipelines.get(other)).toHaveProperty("pipeline");
    expect(gpu().pipelines.get(other)).toBe(gpu().pipelines.get(other));
  });

  it("reports a shader that does not compile with line and text", async () => {
    const kernel = defineKernel({
      label: "broken",
      read: {},
      write: { y: "array<f32>" },
      workgroups: [1, 1, 1],
      body: "fn",
    });
    await expect(gpu().pipelines.get(kernel)).rejects.toThrow(/Kernel "broken" did not compile:\n {2}line 4/);
  });

  it("compiles a text once, whoever asks", async () => {
    const target = kernelTarget(gpu());
    const [first, second] = [fillForward(target, 10, 1), fillForward(target, 999, 2)];
    expect(await gpu().pipelines.get(first)).toBe(await gpu().pipelines.get(second));
  });

  it("reads back ranges through a ring that reuses its buffers", async () => {
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const buffer = gpu().createBuffer("data", 40, STORAGE | COPY_SRC | COPY_DST);
    gpu().device.queue.writeBuffer(
      buffer,
      0,
      Uint32Array.from({ length: 10 }, (_, i) => i),
    );
    expect([...new Uint32Array(await readBuffer(gpu(), { buffer, offset: 8, bytes: 12 }))]).toEqual([
      2, 3, 4,
    ]);

    const ring = new StagingRing(gpu(), 2);
    const before = gpu().bytes;
    const read = async (): Promise<number[]> => {
      const encoder = gpu().device.createCommandEncoder();
      const wait = ring.record(encoder, [
        { buffer, offset: 0, bytes: 4 },
        { buffer, offset: 36, bytes: 4 },
      ]);
      gpu().device.queue.submit([encoder.finish()]);
      return (await wait()).map((bytes) => new Uint32Array(bytes)[0]);
    };
    for (let i = 0; i < 5; i++)
      expect(await Promise.all([read(), read(), read()])).toEqual([
        [0, 9],
        [0, 9],
        [0, 9],
      ]);
    expect(gpu().bytes - before).toBe(2 * 16);
    const last = read();
    ring.destroy();
    expect(await last).toEqual([0, 9]);
    expect(gpu().bytes).toBe(before);
    gpu().destroyBuffer(buffer);
  });

  it("times passes where the adapter can", async () => {
    if (!gpu().features.has("timestamp-query")) {
      await expect(timePasses(gpu(), [])).rejects.toThrow(/cannot time its work/);
      return;
    }
    const times = await timePasses(gpu(), [{ label: "empty", record: () => {} }]);
    expect(times).toEqual([{ label: "empty", nanoseconds: expect.any(Number) as number }]);
  });

  it("is opened with less where the adapter refuses its own limits, and says so once", async () => {
    const adapter = await openAdapter();
    const { info, features, limits } = adapter;
    const refusing = {
      ...{ info, features, limits },
      requestDevice: (request: GPUDeviceDescriptor) =>
        request.requiredLimits && "maxBufferSize" in request.requiredLimits
          ? Promise.reject(new Error("out of memory"))
          : adapter.requestDevice(request),
    } as unknown as GPUAdapter;
    const said: string[] = [];
    const lesser = await Gpu.create(refusing, { warn: (sentence) => said.push(sentence) });
    expect(said).toEqual([expect.stringMatching(/refuses what it offers \(out of memory\)/)]);
    expect(lesser.limits.maxBufferSize).toBe(2 ** 28);
    expect(kernelTarget(lesser)).toMatchObject({ maxBufferBytes: 2 ** 28, maxStorageBuffers: 8 });
    lesser.destroy();
  });

  it("says that the device is gone after it was destroyed or lost", async () => {
    const other = await openGpu();
    other.device.destroy();
    await other.device.lost;
    await expect(other.idle()).rejects.toThrow(GpuError);
    expect(() => other.check()).toThrow(/device was lost/);
    other.destroy();
    other.destroy();
    expect(() => other.check()).toThrow("The GPU device has been destroyed.");
  });
});
