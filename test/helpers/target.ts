import type { KernelTarget } from "../../src/kernels/kernel.ts";

/** An adapter that exists only on paper, for what can be tested without one. */
export const paperTarget: KernelTarget = {
  family: "register",
  subgroupSize: 0,
  maxBindingBytes: 128 * 2 ** 20,
  offsetAlignment: 256,
  maxStorageBuffers: 8,
  maxWorkgroupsPerDimension: 65535,
  maxWorkgroupBytes: 16384,
  maxInvocations: 256,
};
