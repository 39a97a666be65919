/**
 * @file What every pipeline must keep to on every card that is compiled for: it compiles, it spills nothing, and a SIMD can hold
 * subgroups in half of its slots (16 as RDNA's are counted in subgroups of 64 lanes, 8 in those of 32), so that there are some to run
 * while others wait for memory. What may do otherwise is listed with the reason.
 */
import type { ProductFamily } from "../../src/kernels/tiling.ts";
import type { LabRow } from "./figures.ts";

/** Share of the slots. */
const LEAST_OCCUPANCY = 1 / 2;

/** Kernels that may do otherwise. */
export interface Exception {
  /** Of kernels, as `Kernel.label`. */
  readonly labels: readonly string[];
  /** Only products of this family; every kernel of the label without. */
  readonly product?: ProductFamily;
  /** The least share of the slots that they may come to. */
  readonly occupancy?: number;
  /** The most vector registers that they may spill to memory. */
  readonly spills?: number;
  /** The most scalar registers that they may spill, to lanes of vector registers: none goes to memory. */
  readonly scalarSpills?: number;
  readonly reason: string;
}

const PRODUCTS = ["conv2d_forward", "conv2d_backward_data", "conv2d_backward_weights"];

export const EXCEPTIONS: readonly Exception[] = [
  {
    labels: PRODUCTS,
    product: "workgroup",
    occupancy: 3 / 16,
    reason:
      "a lane keeps up to 64 sums and what they are made of in 100 to 180 registers; with less of either, workgroup memory would be read more often for each multiply-add, and that is what bounds these loops",
  },
  {
    labels: PRODUCTS,
    product: "matrix",
    occupancy: 5 / 16,
    reason:
      "the sums of a subgroup's matrices lie in its registers, and the larger they are, the less often an operand is loaded; products of matrices take 32 clocks each, behind which few subgroups hide what they wait for",
  },
  {
    labels: ["depthwise_conv2d_forward", "depthwise_conv2d_backward_data"],
    occupancy: 1 / 8,
    reason:
      "a lane walks along a line with the window's rows in registers, so that each pixel is loaded once for all taps that read it",
  },
  {
    labels: ["depthwise_conv2d_backward_weights"],
    occupancy: 1 / 8,
    spills: 32,
    reason:
      "a lane keeps the sums of all taps for four channels: 196 registers where the window is 7×7, as NASNetMobile's are, and there some 30 do not fit; a window in two parts would mend it",
  },
  {
    labels: ["softmax_cross_entropy", "softmax_cross_entropy_with_gradient"],
    occupancy: 3 / 8,
    scalarSpills: 32,
    reason:
      "all classes of a pixel are in registers at a time, each four of them with a mask, so that the logits are read once",
  },
];

/** What a pipeline does against the budgets, as a sentence; null where it keeps to them. */
export function violation({ pipeline, figures }: LabRow, exceptions = EXCEPTIONS): string | null {
  if (figures === null) return `does not compile: ${pipeline.problem}`;
  const allowed = exceptions.filter((exception) => appliesTo(exception, pipeline));
  const occupancy = Math.min(LEAST_OCCUPANCY, ...allowed.map((each) => each.occupancy ?? 1));
  const spills = Math.max(0, ...allowed.map((each) => each.spills ?? 0));
  const scalarSpills = Math.max(0, ...allowed.map((each) => each.scalarSpills ?? 0));
  if (figures.spills > spills) return `spills ${figures.spills} vector registers to memory`;
  if (figures.scalarSpills > scalarSpills) return `spills ${figures.scalarSpills} scalar registers`;
  if (figures.occupancy < occupancy)
    return (
      `leaves a SIMD ${figures.subgroups} subgroups, ${percent(figures.occupancy)} of its slots, where at least ` +
      `${percent(occupancy)} are asked for (${figures.vgprs} VGPRs, ${figures.ldsBytes} bytes of workgroup memory)`
    );
  return null;
}

const appliesTo = ({ labels, product }: Exception, pipeline: LabRow["pipeline"]): boolean =>
  labels.includes(pipeline.label) && (product === undefined || pipeline.product?.family === product);

/** Exceptions that some of these pipelines could make and none makes. */
export const needless = (rows: readonly LabRow[]): Exception[] =>
  EXCEPTIONS.filter((exception) => {
    const others = EXCEPTIONS.filter((each) => each !== exception);
    const covered = rows.filter(({ pipeline }) => appliesTo(exception, pipeline));
    return covered.length > 0 && covered.every((row) => violation(row, others) === violation(row));
  });

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
