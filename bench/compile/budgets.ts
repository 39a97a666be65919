/**
 * @file What every pipeline must keep to on every card that is compiled for: it compiles, it spills nothing, and a SIMD can hold
 * subgroups in half of its slots (16 as RDNA's are counted in subgroups of 64 lanes, 8 in those of 32), so that there are some to run
 * while others wait for memory. What may do otherwise is listed with the reason.
 */
import type { VendorFamily } from "../../src/kernels/conv2d/shipped-tiles.ts";
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
  /** Only on cards of this family; on all without. */
  readonly cards?: VendorFamily;
  /** The least share of the slots that they may come to. */
  readonly occupancy?: number;
  /** The most vector registers that they may spill to memory. */
  readonly spills?: number;
  /** The most scalar registers that they may spill, to lanes of vector registers: none goes to memory. */
  readonly scalarSpills?: number;
  readonly reason: string;
}

const PRODUCTS = ["conv2d_forward", "conv2d_backward_data", "conv2d_backward_weights"];
const DEPTHWISE = PRODUCTS.map((label) => `depthwise_${label}`);

export const EXCEPTIONS: readonly Exception[] = [
  {
    labels: PRODUCTS,
    product: "workgroup",
    occupancy: 1 / 8,
    reason:
      "a lane keeps up to 64 sums and what they are made of in 100 to 192 registers, of which the driver counts a third fewer on RDNA2 and RDNA4 than on navi31; with less of either, workgroup memory would be read more often for each multiply-add, and that is what bounds these loops",
  },
  {
    labels: PRODUCTS,
    product: "matrix",
    occupancy: 5 / 16,
    reason:
      "the sums of a subgroup's matrices lie in its registers, and the larger they are, the less often an operand is loaded; products of matrices take 32 clocks each, behind which few subgroups hide what they wait for",
  },
  {
    labels: DEPTHWISE,
    occupancy: 1 / 8,
    reason:
      "a lane walks along a line with the window's rows in registers, so that each pixel is loaded once for all taps that read it, and by weights with the sums of up to 28 taps for four channels",
  },
  {
    labels: [...PRODUCTS, ...DEPTHWISE],
    cards: "amd-gcn",
    occupancy: 1 / 10,
    reason:
      "a SIMD has 256 registers a lane for all its subgroups, so that one which takes more than 128 is alone there; with smaller tiles and strips it would load more for each multiply-add",
  },
  {
    labels: ["softmax_cross_entropy", "softmax_cross_entropy_with_gradient"],
    occupancy: 5 / 16,
    scalarSpills: 32,
    reason:
      "all classes of a pixel are in registers at a time, each four of them with a mask, so that the logits are read once",
  },
];

/** What a pipeline does against the budgets, as a sentence; null where it keeps to them. */
export function violation(row: LabRow, exceptions = EXCEPTIONS): string | null {
  const { pipeline, figures } = row;
  if (figures === null) return `does not compile: ${pipeline.problem}`;
  const allowed = exceptions.filter((exception) => appliesTo(exception, row));
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

const appliesTo = ({ labels, product, cards }: Exception, { pipeline, cards: own }: LabRow): boolean =>
  labels.includes(pipeline.label) &&
  (product === undefined || pipeline.product?.family === product) &&
  (cards === undefined || own === cards);

/** Exceptions that some of these pipelines could make and none makes. */
export const needless = (rows: readonly LabRow[]): Exception[] =>
  EXCEPTIONS.filter((exception) => {
    const others = EXCEPTIONS.filter((each) => each !== exception);
    const covered = rows.filter((row) => appliesTo(exception, row));
    return covered.length > 0 && covered.every((row) => violation(row, others) === violation(row));
  });

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
