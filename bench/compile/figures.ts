/**
 * @file What can be said of a pipeline's speed from its machine code, and how.
 *
 * A matrix product spends its time in one loop. For one turn of it by one subgroup this adds up the clocks for which a
 * SIMD's vector units are taken, and those for which the SIMD's share of workgroup memory's bandwidth is. Other subgroups fill the
 * gaps of one that waits, so at best a turn costs the larger of the two. At the card's peak its multiply-adds alone would take
 * `fmas / fmaPerClock` clocks; the quotient is an upper bound on the share of the peak that the kernel can reach:
 *
 *     bound = (fmas / fmaPerClock) / max(valuClocks, ldsClocks)
 *
 * The peak is that of the matrix instructions where the loop has any, and that of f32 multiply-adds where it has none (on RDNA3
 * with both halves of dual issue busy). It is a bound and not a forecast: it takes all lanes to do useful work, loads from
 * memory and waits to be hidden (which needs several subgroups a SIMD), workgroup memory to have no bank conflicts, registers
 * to lie in the right banks for dual issue, scalar instructions to cost nothing, and nothing to happen outside the loop. A turn is
 * one slab of the product's tile: where the compiler left the loop over its steps as it is, the turn is one of the loop around it,
 * which fills the slab, with as many of the inner one as the tile has multiply-adds for.
 * Multiply-adds which normalize what is loaded are counted with the product's own: a few in a hundred. In one respect it may
 * be too low: matrix instructions are taken to keep the vector units to themselves for as long as they run, as in Mesa's cost model.
 */
import type { VendorFamily } from "../../src/kernels/conv2d/shipped-tiles.ts";
import { fmasPerClock } from "./families.ts";
import type { Family } from "./families.ts";
import { loopCost, subgroupFmas } from "./instructions.ts";
import { heaviestInnerLoop, parseMachineCode } from "./machine-code.ts";
import type { LabPipeline, PipelineRecord } from "./task.ts";

/** Of a pipeline that compiled. */
export interface Figures {
  /** Lanes of a subgroup. */
  readonly subgroupSize: number;
  readonly vgprs: number;
  /** Vector registers that did not fit and went to memory. */
  readonly spills: number;
  /** Scalar registers that did not fit and went to lanes of vector registers. */
  readonly scalarSpills: number;
  /** Workgroup memory in bytes. */
  readonly ldsBytes: number;
  /**
   * Subgroups that a SIMD can hold at a time, as the driver counts them: on RDNA in units of 32 lanes, so that a SIMD's 16
   * slots hold up to 32 in subgroups of 64 lanes and 16 in those of 32.
   */
  readonly subgroups: number;
  /** {@link subgroups} over what there are slots for. */
  readonly occupancy: number;
  /** Of the loop that does a product's work; null of other kernels, and where there is no machine code to look at. */
  readonly loop: LoopFigures | null;
}

/** Of one turn of a loop. */
export interface LoopFigures {
  readonly instructions: number;
  readonly fmaInstructions: number;
  readonly matrix: boolean;
  /** Multiply-adds of one lane, its share of those of matrix instructions. */
  readonly fmasPerLane: number;
  /** Bytes loaded from and stored to memory, for each multiply-add. */
  readonly globalBytesPerFma: number;
  /** Bytes loaded from and stored to workgroup memory, for each multiply-add. */
  readonly ldsBytesPerFma: number;
  /** The largest share of the peak: by vector instructions, by workgroup memory, and by both. */
  readonly issueBound: number;
  readonly ldsBound: number;
  readonly bound: number;
}

/** A pipeline and what was found of it. */
export interface LabRow {
  readonly pipeline: LabPipeline;
  /** The family of the card that it was compiled for. */
  readonly cards: VendorFamily;
  /** Null where it did not compile. */
  readonly figures: Figures | null;
}

/** Pipelines with their figures. */
export const labRows = (pipelines: readonly LabPipeline[], family: Family): LabRow[] =>
  pipelines.map((pipeline) => ({
    pipeline,
    cards: family.vendorFamily,
    figures: pipeline.record && figuresOf(pipeline, pipeline.record, family),
  }));

/** @throws Error where the driver does not tell what is needed. */
export function figuresOf(pipeline: LabPipeline, record: PipelineRecord, family: Family): Figures {
  const { subgroupSize, statistics, assembly } = record;
  const statistic = (name: string): number => {
    const value = statistics[name];
    if (value === undefined)
      throw new Error(`the driver has no statistic "${name}": use Mesa 24.1 or newer.`);
    return value;
  };
  const subgroups = statistic("Subgroups per SIMD");
  return {
    subgroupSize,
    vgprs: statistic("VGPRs"),
    spills: statistic("Spilled VGPRs"),
    scalarSpills: statistic("Spilled SGPRs"),
    ldsBytes: statistic("LDS size"),
    subgroups,
    occupancy: subgroups / ((family.slots * subgroupSize) / 64),
    loop: pipeline.flops.some((each) => each > 0)
      ? loopFigures(pipeline, assembly, family, subgroupSize)
      : null,
  };
}

function loopFigures(
  pipeline: LabPipeline,
  assembly: string,
  family: Family,
  subgroupSize: number,
): LoopFigures | null {
  const code = parseMachineCode(assembly);
  const loop = heaviestInnerLoop(code, (instruction) => subgroupFmas(instruction, subgroupSize));
  if (loop === null) return null;
  const inner = loopCost(loop.body, family, subgroupSize);
  const slab = slabFmas(pipeline);
  const turns = slab === null ? 1 : Math.max(1, Math.round(slab / (inner.fmas / subgroupSize)));
  const body =
    turns === 1 || loop.around === null
      ? loop.body
      : [...loop.around, ...Array.from({ length: turns }, () => loop.body).flat()];
  const cost = loopCost(body, family, subgroupSize);
  const { fmas, matrix, valuClocks, ldsClocks } = cost;
  const share = (clocks: number): number => Math.min(1, fmas / fmasPerClock(family, matrix) / clocks);
  return {
    instructions: cost.instructions,
    fmaInstructions: cost.fmaInstructions,
    matrix,
    fmasPerLane: fmas / subgroupSize,
    globalBytesPerFma: cost.globalBytes / fmas,
    ldsBytesPerFma: cost.ldsBytes / fmas,
    issueBound: share(valuClocks),
    ldsBound: share(ldsClocks),
    bound: share(Math.max(valuClocks, ldsClocks)),
  };
}

/** Multiply-adds of a lane for one slab of a product's tile; null where it has none. */
function slabFmas({ product, wgsl }: LabPipeline): number | null {
  const size = /@workgroup_size\(([^)]*)\)/.exec(wgsl)?.[1];
  if (product?.tile.steps === undefined || size === undefined) return null;
  const { rows, columns, steps } = product.tile;
  const invocations = size.split(",").reduce((all, extent) => all * parseInt(extent), 1);
  return (rows * columns * steps) / invocations;
}
