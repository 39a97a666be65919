/** @file What the lab's process is asked for, and what it answers. */
import type { ProductFamily, Tile } from "../../src/kernels/tiling.ts";
import type { Precision } from "../../src/config/precision.ts";
import type { Phase } from "../../src/runs/phase.ts";

/** A training step. */
export interface LabStep {
  readonly encoder: string;
  readonly phase: Phase;
  readonly precision: Precision;
}

/** Training steps of photos of one size. */
export interface LabTask {
  readonly imageSize: number;
  readonly batchSize: number;
  readonly steps: readonly LabStep[];
}

/** What the driver's compiler says of a pipeline; see `compile_only.c`. */
export interface PipelineRecord {
  readonly subgroupSize: number;
  readonly statistics: Readonly<Record<string, number>>;
  /** Empty where the driver cannot print it. */
  readonly assembly: string;
}

/** A pipeline of the steps, and what came of it. */
export interface LabPipeline {
  readonly label: string;
  /** Of a matrix product. */
  readonly product: { readonly family: ProductFamily; readonly tile: Tile } | null;
  /** Dispatches that it serves in each step of the task, and their floating-point operations: 0 of what is no product. */
  readonly dispatches: readonly number[];
  readonly flops: readonly number[];
  readonly wgsl: string;
  /** Null where it did not compile. */
  readonly record: PipelineRecord | null;
  /** Why it did not. */
  readonly problem?: string;
}

/** Messages of the process, in this order: the adapter once, each pipeline, the end. */
export type LabMessage =
  | { readonly adapter: string }
  | { readonly pipeline: LabPipeline }
  | { readonly failed: string }
  | { readonly done: true };
