/** @file What the lab's process is asked for, and what it answers. */
import type { ContributedTarget } from "../../src/graph/autotune/contribution.ts";
import type { ProductFamily, Tile, TileRequest } from "../../src/kernels/tiling.ts";
import { PRECISIONS } from "../../src/config/precision.ts";
import type { Precision } from "../../src/config/precision.ts";
import { PHASES } from "../../src/runs/phase.ts";
import type { Phase } from "../../src/runs/phase.ts";

/** A training step. */
export interface LabStep {
  readonly encoder: string;
  readonly phase: Phase;
  readonly precision: Precision;
}

/** Both phases on each of `encoders` in every precision. */
export const stepsOn = (encoders: readonly string[]): LabStep[] =>
  encoders.flatMap((encoder) =>
    PRECISIONS.flatMap((precision) => PHASES.map((phase) => ({ encoder, precision, phase }))),
  );

/** Training steps of photos of one size. */
export interface LabTask {
  readonly imageSize: number;
  readonly batchSize: number;
  readonly steps: readonly LabStep[];
  /** Compiles the ops of test/graph/ops/table.ts instead, forward and backward, as one step. */
  readonly table?: boolean;
  /** Compiles every tile that the steps' products could have, in place of the pipelines that they have. */
  readonly everyTile?: boolean;
}

/** What the driver's compiler says of a pipeline; see `compile_only.c`. */
export interface PipelineRecord {
  readonly subgroupSize: number;
  readonly statistics: Readonly<Record<string, number>>;
  /** Empty where the driver cannot print it. */
  readonly assembly: string;
}

/** The matrix product that a pipeline computes. */
export interface LabProduct {
  readonly family: ProductFamily;
  readonly tile: Tile;
  /** Where every tile of a group of products is compiled: the group, of which this is one tile. */
  readonly group?: LabGroup;
}

export interface LabGroup {
  readonly request: TileRequest;
  readonly uses: number;
  /** Workgroups of the group's largest product, and which share of their tiles lies in its result. */
  readonly workgroups: number;
  readonly filled: number;
}

/** A pipeline of the steps, and what came of it. */
export interface LabPipeline {
  readonly label: string;
  /** Of a matrix product. */
  readonly product: LabProduct | null;
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
  | { readonly adapter: string; readonly target: ContributedTarget }
  | { readonly pipeline: LabPipeline }
  | { readonly failed: string }
  | { readonly done: true };
