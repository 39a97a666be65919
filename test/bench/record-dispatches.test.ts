import { expect, it } from "vitest";
import { recordDispatches } from "../../bench/record-dispatches.ts";

/** A device that only writes down what it is told. */
function fakeDevice(): { device: GPUDevice; told: unknown[][] } {
  const told: unknown[][] = [];
  class Pass {
    setPipeline(...given: unknown[]): void {
      told.push(["pipeline", ...given]);
    }
    setBindGroup(...given: unknown[]): void {
      told.push(["bind group", ...given]);
    }
    dispatchWorkgroups(...given: unknown[]): void {
      told.push(["dispatch", ...given]);
    }
  }
  class Device {
    createCommandEncoder(): { beginComputePass: () => Pass } {
      return { beginComputePass: () => new Pass() };
    }
  }
  return { device: new Device() as unknown as GPUDevice, told };
}

const pipeline = (name: string): GPUComputePipeline => name as unknown as GPUComputePipeline;
const group = (name: string): GPUBindGroup => name as unknown as GPUBindGroup;

it("writes down the dispatches of a program's run, lets them through, and leaves the device as it was", async () => {
  const { device, told } = fakeDevice();
  const recorded = await recordDispatches(device, async () => {
    const pass = device.createCommandEncoder().beginComputePass();
    pass.setPipeline(pipeline("p"));
    pass.setBindGroup(0, group("a"));
    pass.dispatchWorkgroups(1, 2, 3);
    pass.setBindGroup(0, group("b"));
    pass.dispatchWorkgroups(4);
    await Promise.resolve();
  });
  expect(recorded).toEqual([
    { pipeline: "p", bindGroup: "a", workgroups: [1, 2, 3] },
    { pipeline: "p", bindGroup: "b", workgroups: [4] },
  ]);
  expect(told).toHaveLength(5);
  expect(Object.hasOwn(device, "createCommandEncoder")).toBe(false);
});

it("leaves the device as it was when the run throws", async () => {
  const { device } = fakeDevice();
  const run = (): Promise<never> => {
    throw new Error("no input");
  };
  await expect(recordDispatches(device, run)).rejects.toThrow("no input");
  expect(Object.hasOwn(device, "createCommandEncoder")).toBe(false);
});
