import { describeTile } from "../../src/kernels/conv2d/tiles.ts";
import { formatBytes, textTable } from "../../src/text-table.ts";
import { peakTeraflops } from "./families.ts";
import type { Family } from "./families.ts";
import type { Figures, LabRow, LoopFigures } from "./figures.ts";

/** One line a pipeline, those that do most arithmetic first and then those with most dispatches. */
export function pipelineTable(rows: readonly LabRow[]): string {
  const count = ({ pipeline }: LabRow): number => sum(pipeline.dispatches);
  const sorted = [...rows].sort((a, b) => flopsOf(b) - flopsOf(a) || count(b) - count(a));
  const all = sum(rows.map((row) => flopsOf(row)));
  return textTable(
    [
      [
        ...["kernel", "tile", "dispatches", "FLOP", "lanes", "VGPRs", "spills", "LDS", "subgroups"],
        ...["FMA", "global B", "LDS B", "issue", "LDS", "bound"],
      ],
      ...sorted.map((row) => [
        row.pipeline.label,
        row.pipeline.product
          ? `${row.pipeline.product.family} ${describeTile(row.pipeline.product.tile)}`
          : "",
        row.pipeline.dispatches.join("+"),
        flopsOf(row) > 0 ? percent(flopsOf(row) / all, 1) : "",
        ...(row.figures === null ? ["did not compile"] : figureCells(row.figures)),
      ]),
    ],
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
  );
}

const figureCells = (figures: Figures): string[] => [
  String(figures.subgroupSize),
  String(figures.vgprs),
  `${figures.spills}${figures.scalarSpills > 0 ? `+${figures.scalarSpills}` : ""}`,
  figures.ldsBytes === 0 ? "" : formatBytes(figures.ldsBytes),
  String(figures.subgroups),
  ...(figures.loop === null ? [] : loopCells(figures.loop)),
];

const loopCells = (loop: LoopFigures): string[] => [
  `${loop.fmaInstructions}/${loop.instructions}${loop.matrix ? " wmma" : ""}`,
  loop.globalBytesPerFma.toFixed(3),
  loop.ldsBytesPerFma.toFixed(3),
  percent(loop.issueBound),
  percent(loop.ldsBound),
  percent(loop.bound),
];

/** What the columns of {@link pipelineTable} mean. */
export const COLUMNS = `dispatches: that a pipeline serves in each step; FLOP: its share of the products'; lanes: of a subgroup;
spills: vector registers that went to memory + scalar registers that went to vector registers;
subgroups: that a SIMD can hold at a time, counted in 32 lanes on RDNA. Of the innermost loop with most multiply-adds: FMA, instructions
that multiply and add, of all; bytes of buffers and of workgroup memory a multiply-add; and the largest share of the card's peak by
vector instructions, by workgroup memory's bandwidth, and by both (bench/compile/figures.ts).`;

/**
 * The most TFLOP/s that a card can come to with all products together: each takes at least the time that its own bound leaves.
 *
 * @param steps which of the task's steps; all by default.
 * @returns null where no loop is known.
 */
export function mostTeraflops(
  rows: readonly LabRow[],
  family: Family,
  steps?: readonly number[],
): number | null {
  const bounded = rows.flatMap((row) => {
    const loop = row.figures?.loop;
    return loop
      ? [{ flops: flopsOf(row, steps), rate: loop.bound * peakTeraflops(family, loop.matrix) }]
      : [];
  });
  const flops = sum(bounded.map((each) => each.flops));
  return flops === 0 ? null : flops / sum(bounded.map((each) => each.flops / each.rate));
}

const flopsOf = ({ pipeline: { flops } }: LabRow, steps?: readonly number[]): number =>
  sum(steps ? steps.map((step) => flops[step]) : flops);

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const percent = (share: number, digits = 0): string => `${(100 * share).toFixed(digits)} %`;
