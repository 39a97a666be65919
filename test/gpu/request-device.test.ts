import { describe, expect, it } from "vitest";
import { GpuError } from "../../src/gpu/errors.ts";
import { requestDevice } from "../../src/gpu/request-device.ts";
import type { DeviceRequest } from "../../src/gpu/request-device.ts";

const wanted: DeviceRequest = {
  features: ["subgroups", "shader-f16"] as GPUFeatureName[],
  experimental: ["chromium-experimental-subgroup-matrix"] as unknown as GPUFeatureName[],
  limits: { maxBufferSize: 2 ** 32 },
};

/** An adapter whose driver refuses some requests with a message; the device that it gives is the request. */
function adapterThat(refuses: (request: Required<GPUDeviceDescriptor>) => string | null): {
  adapter: GPUAdapter;
  asked: GPUDeviceDescriptor[];
} {
  const asked: GPUDeviceDescriptor[] = [];
  const requestDevice = (request: Required<GPUDeviceDescriptor>): Promise<unknown> => {
    asked.push(request);
    const message = refuses(request);
    return message === null ? Promise.resolve(request) : Promise.reject(new Error(message));
  };
  const info = { description: "A card", device: "card" };
  return { adapter: { info, requestDevice } as unknown as GPUAdapter, asked };
}

const list = (values: Iterable<unknown>): unknown[] => [...values];

describe("asking for a device", () => {
  it("takes everything at once where the adapter keeps its word", async () => {
    const { adapter, asked } = adapterThat(() => null);
    const { device, lacking } = await requestDevice(adapter, wanted);
    expect(lacking).toBeNull();
    expect(asked).toHaveLength(1);
    expect(device).toEqual({
      requiredFeatures: [...wanted.features, ...wanted.experimental],
      requiredLimits: wanted.limits,
    });
  });

  it("goes without what is in no standard where that is refused", async () => {
    const { adapter } = adapterThat(({ requiredFeatures }) =>
      list(requiredFeatures).some((name) => String(name).startsWith("chromium"))
        ? "Device creation failed.\n - at x"
        : null,
    );
    const { device, lacking } = await requestDevice(adapter, wanted);
    expect(device).toEqual({ requiredFeatures: wanted.features, requiredLimits: wanted.limits });
    expect(lacking).toBe(
      'The adapter "A card" refuses what it offers (Device creation failed): it is used without ' +
        "chromium-experimental-subgroup-matrix, and slower.",
    );
  });

  it("goes with the smallest limits where its own are refused", async () => {
    const { adapter } = adapterThat(({ requiredLimits }) =>
      "maxBufferSize" in requiredLimits ? "out of memory" : null,
    );
    const { device, lacking } = await requestDevice(adapter, wanted);
    expect(device).toEqual({ requiredFeatures: wanted.features, requiredLimits: {} });
    expect(lacking).toMatch(/\(out of memory\): it is used with WebGPU's smallest limits, and slower\.$/);
  });

  it("goes without any feature in the end", async () => {
    const { adapter } = adapterThat(({ requiredFeatures }) =>
      list(requiredFeatures).length > 0 ? "no" : null,
    );
    const { device, lacking } = await requestDevice(adapter, wanted);
    expect(device).toEqual({ requiredFeatures: [], requiredLimits: {} });
    expect(lacking).toContain("smallest limits and no feature");
  });

  it("tells the first refusal where there is no device at all, and asks for nothing twice", async () => {
    let times = 0;
    const { adapter, asked } = adapterThat(() => `refusal ${++times}`);
    const plain = { features: [], experimental: [], limits: wanted.limits };
    const error: unknown = await requestDevice(adapter, plain).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GpuError);
    expect((error as GpuError).message).toBe('The adapter "A card" gave no device: refusal 1');
    expect(asked).toHaveLength(2);
  });
});
