import type { PlanSummary } from "../../src/graph/plan.ts";
import type { WrittenSize } from "../../src/image-size.ts";
import type { Decoder } from "../../src/layers/networks/decoder.ts";
import type { StepSpec } from "../../src/train/phase/programs.ts";
import type { Phase } from "../../src/runs/phase.ts";
import type { Breakdown, FirstStep } from "./measure-step.ts";
import type { TfjsComparison, TfjsProblem } from "./tfjs-step.ts";

/** What one training step costs, as it is written to a file; `bench/peers` writes the same names. Times in milliseconds. */
export interface StepResult {
  readonly framework: "bespoke";
  readonly variant: string;
  readonly device: string;
  readonly version: string;
  readonly phase: Phase;
  /** As `--encoder` has it. */
  readonly encoder: string;
  /** `128`, or `"96x64"`, height by width. */
  readonly size: WrittenSize;
  readonly batch: number;
  readonly optimizer: StepSpec["optimizer"];
  readonly decoder: Decoder;
  /** Learned or frozen numbers, moving statistics aside. */
  readonly parameters: number;
  /** Steps timed in each way. */
  readonly steps: number;
  /** Whether the driver's cache of compiled shaders was kept out of it. */
  readonly coldShaderCache: boolean;
  readonly firstStepMs: FirstStep;
  /** Each step waited for before the next is submitted, as `minMs` and `maxMs`. */
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** From one step's end to the next one's with two in flight, as the trainer has it: the median. */
  readonly pipelinedMs: number;
  /** Host time a step, uploads aside: recording and submitting. */
  readonly encodeMs: number;
  readonly encodeMinMs: number;
  readonly uploadMs: number;
  /** By `pipelinedMs`, as the rates below. */
  readonly photosPerSecond: number;
  /** Arithmetic of a step by the network's definition (`arithmetic.ts`), in GFLOP. */
  readonly gflop: number;
  readonly gflopPerSecond: number;
  /** What a loop of fused multiply-adds reaches on the adapter. */
  readonly fmaGflopPerSecond: number;
  readonly plan: PlanSummary;
  /** The most that all buffers together have held. */
  readonly peakBytes: number;
  /** Before each of the first three steps. */
  readonly losses: readonly number[];
  readonly breakdown: Breakdown | null;
  /** Null when it was left out. */
  readonly tfjs: TfjsComparison | TfjsProblem | null;
}
