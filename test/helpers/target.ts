import type { KernelTarget } from "../../src/kernels/kernel.ts";

/** An adapter that exists only on paper, for what can be tested without one. */
export const paperTarget: KernelTarget = {
  family: "register",
  subgroupSize: 0,
  subgroupMatrix: null,
  maxBindingBytes: 128 * 2 ** 20,
  maxBufferBytes: 256 * 2 ** 20,
  offsetAlignment: 256,
  maxStorageBuffers: 8,
  maxWorkgroupsPerDimension: 65535,
  maxWorkgroupBytes: 16384,
  maxInvocations: 256,
};

/** A GPU that exists only on paper, of the kind that has matrices for its subgroups. */
export const paperGpu: KernelTarget = {
  ...paperTarget,
  family: "workgroup",
  subgroupSize: 32,
  subgroupMatrix: {
    component: "f16",
    ...{ rows: 16, columns: 16, depth: 16 },
    ...{ lanes: 32, asksForLanes: false, workgroupMultiple: 32 },
  },
  maxBindingBytes: 2 ** 31,
  maxBufferBytes: 2 ** 32,
  maxWorkgroupBytes: 49152,
  maxInvocations: 1024,
};
