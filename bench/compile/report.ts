import { describeTile } from "../../src/kernels/conv2d/tiles.ts";
import { formatBytes, textTable } from "../../src/text-table.ts";
import type { Figures, LoopFigures } from "./figures.ts";
import type { LabPipeline } from "./task.ts";

/** A pipeline and what was found of it. */
export interface LabRow {
  readonly pipeline: LabPipeline;
  /** Null where it did not compile. */
  readonly figures: Figures | null;
}

/** One line a pipeline, those that do most arithmetic first and then those with most dispatches. */
export function pipelineTable(rows: readonly LabRow[]): string {
  const total = ({ pipeline }: LabRow): number => pipeline.dispatches.reduce((sum, count) => sum + count, 0);
  const sorted = [...rows].sort((a, b) => b.pipeline.flops - a.pipeline.flops || total(b) - total(a));
  const all = rows.reduce((sum, { pipeline }) => sum + pipeline.flops, 0);
  return textTable(
    [
      [
        ...["kernel", "tile", "dispatches", "FLOP", "lanes", "VGPRs", "spills", "LDS", "subgroups"],
        ...["FMA", "global B", "LDS B", "issue", "LDS", "bound"],
      ],
      ...sorted.map(({ pipeline, figures }) => [
        pipeline.label,
        pipeline.product ? `${pipeline.product.family} ${describeTile(pipeline.product.tile)}` : "",
        pipeline.dispatches.join("+"),
        pipeline.flops > 0 ? percent(pipeline.flops / all, 1) : "",
        ...(figures === null ? ["did not compile"] : figureCells(figures)),
      ]),
    ],
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
  );
}

const figureCells = (figures: Figures): string[] => [
  String(figures.subgroupSize),
  String(figures.vgprs),
  String(figures.spills),
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
subgroups: that a SIMD can hold at a time, counted in 32 lanes on RDNA. Of the innermost loop with most multiply-adds: FMA, instructions
that multiply and add, of all; bytes of buffers and of workgroup memory a multiply-add; and the largest share of the card's peak by
vector instructions, by workgroup memory's bandwidth, and by both (bench/compile/figures.ts).`;

/** The largest share of the peak that the products can reach together: each takes the time that its own bound leaves. */
export function boundOfAll(rows: readonly LabRow[]): number | null {
  const products = rows.filter(({ pipeline, figures }) => pipeline.flops > 0 && figures?.loop != null);
  const flops = products.reduce((sum, { pipeline }) => sum + pipeline.flops, 0);
  const time = products.reduce(
    (sum, { pipeline, figures }) => sum + pipeline.flops / figures!.loop!.bound,
    0,
  );
  return time === 0 ? null : flops / time;
}

const percent = (share: number, digits = 0): string => `${(100 * share).toFixed(digits)} %`;
