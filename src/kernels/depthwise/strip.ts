/** @file How many rows of results an invocation has at a time. */
import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import type { KernelTarget } from "../kernel.ts";
import { laneFor } from "../text/lane.ts";
import { inFlight } from "./walk.ts";

/** Multiply-adds a column of results: a GPU has registers for so many, and more of them a CPU's driver compiles for many seconds. */
const MOST_PRODUCTS = { register: 100, workgroup: 56 } as const;
const MOST_ROWS = 4;
/** What twice the rows must leave of the loads and stores a result, on a CPU. */
const WORTH_DOUBLING = 0.8;

/** Rows of results of a strip forward and by weights, where dy is loaded instead of y stored. */
export const stripOf = (target: KernelTarget, g: Conv2dGeometry): number =>
  widest(target, g, 1, (rows) => (g.strideX * ((rows - 1) * g.strideY + g.kernelHeight) + rows) / rows);

/** Registers of a GPU's invocation that hold sums by weights: with the operands and their places beside them, all fit. */
const MOST_SUMS = 112;

/**
 * Rows of the window that an invocation sums by weights: all of them, or as many of each part of a window whose sums are too
 * many for a GPU's registers. On a CPU they are on the stack, where any number is at hand.
 */
export function rowsByWeights({ family }: KernelTarget, g: Conv2dGeometry): number {
  const { kernelHeight, kernelWidth, inChannels } = g;
  if (family === "register") return kernelHeight;
  const most = Math.max(1, Math.floor(MOST_SUMS / (kernelWidth * laneFor(inChannels).width)));
  return Math.ceil(kernelHeight / Math.ceil(kernelHeight / most));
}

/** Rows of cells of a strip by data; see backward-data.ts. */
export function cellStripOf(target: KernelTarget, g: Conv2dGeometry): number {
  const reach = inFlight(g.kernelHeight, g.strideY) - 1;
  return widest(target, g, g.strideY, (rows) => (rows + reach) / rows + g.strideY * g.strideX);
}

/**
 * A GPU's strip is as wide as its registers allow. On adapters that run on the CPU each load and store is a long piece of code,
 * written out once a row, and a loop of more than a few of them takes twice as long for each: a wider strip must save much.
 *
 * @param cost loads and stores a result, or a cell of `height` rows of results, with so many rows
 */
function widest(
  { family }: KernelTarget,
  { kernelHeight, kernelWidth }: Conv2dGeometry,
  height: number,
  cost: (rows: number) => number,
): number {
  const most = Math.min(MOST_ROWS, Math.floor(MOST_PRODUCTS[family] / (kernelHeight * kernelWidth)));
  if (family === "workgroup") return Math.max(1, Math.floor(most / height));
  let rows = 1;
  while (2 * rows * height <= most && cost(2 * rows) <= WORTH_DOUBLING * cost(rows)) rows *= 2;
  return rows;
}
