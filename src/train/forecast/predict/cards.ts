import type { SubgroupMatrix } from "../../../gpu/subgroup-matrix.ts";
import type { KernelTarget } from "../../../kernels/kernel.ts";

/** A GPU that need not be here: what it can do at best, and what kernels are made for on it. */
export interface Card {
  readonly title: string;
  /** Peak of f32 multiply-adds, in TFLOP/s. */
  readonly teraflops: number;
  /** Peak of f16 matrices that are summed up in f32, in TFLOP/s; null without them. */
  readonly matrixTeraflops: number | null;
  /** Bandwidth of its memory, in GB/s. */
  readonly gigabytesPerSecond: number;
  readonly target: KernelTarget;
}

/** What Dawn offers on desktop drivers of Vulkan. */
const DESKTOP: KernelTarget = {
  family: "workgroup",
  subgroupSize: 0,
  subgroupMatrix: null,
  maxBindingBytes: 2 ** 32 - 4,
  maxBufferBytes: 2 ** 32 - 1,
  offsetAlignment: 16,
  maxStorageBuffers: 16,
  maxWorkgroupsPerDimension: 65535,
  maxWorkgroupBytes: 65536,
  maxInvocations: 1024,
};

/** In subgroups of 32, which is one size of several on AMD's cards. */
const matrix = (asksForLanes: boolean): SubgroupMatrix => ({
  component: "f16",
  ...{ rows: 16, columns: 16, depth: 16, lanes: 32, asksForLanes, workgroupMultiple: 32 },
});

/** Peaks and bandwidths as their makers give them, without sparsity. */
export const CARDS = {
  navi31: {
    title: "Radeon RX 7900 XTX",
    teraflops: 61.4,
    matrixTeraflops: 122.8,
    gigabytesPerSecond: 960,
    target: { ...DESKTOP, subgroupMatrix: matrix(true) },
  },
  navi21: {
    title: "Radeon RX 6900 XT",
    teraflops: 23.0,
    matrixTeraflops: null,
    gigabytesPerSecond: 512,
    target: DESKTOP,
  },
  h100: {
    title: "NVIDIA H100 SXM",
    teraflops: 66.9,
    matrixTeraflops: 989,
    gigabytesPerSecond: 3350,
    target: { ...DESKTOP, subgroupSize: 32, subgroupMatrix: matrix(false), maxWorkgroupBytes: 49152 },
  },
} as const satisfies Readonly<Record<string, Card>>;

export type CardName = keyof typeof CARDS;

export const CARD_NAMES = Object.keys(CARDS) as CardName[];
