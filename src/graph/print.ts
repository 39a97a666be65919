/** @file Plans as tables that a person can read. */
import { formatBytes, formatCount, textTable } from "../text-table.ts";
import type { Tile } from "../kernels/tiling.ts";
import type { Binding, Dispatch } from "./dispatch.ts";
import { shapeText } from "./shape.ts";
import type { TensorType } from "./shape.ts";

/** A plan, as far as it is printed. */
interface PrintedPlan {
  readonly dispatches: readonly Dispatch[];
  readonly blocks: { readonly length: number };
  readonly summary: Readonly<
    Record<"pipelines" | "arenaBytes" | "inputBytes" | "variableBytes" | "peakBytes", number>
  >;
}

/**
 * One line a dispatch, in their order: the op, the kernel, what it reads and writes, the tile of a matrix product, the bytes
 * that are bound, and the floating-point operations of matrix products (see `Kernel.flops`). Then the totals, and what the
 * program holds in memory.
 */
export function printPlan({ dispatches, blocks, summary }: PrintedPlan): string {
  const rows = dispatches.map((dispatch, i) => {
    const { kernel, bindings, node } = dispatch;
    const side = (access: Binding["access"]): string =>
      listed(bindings.filter((binding) => binding.access === access).map(typeText));
    return [
      String(i),
      node.op.name,
      kernel.label,
      side("read"),
      side("read_write"),
      kernel.tiling ? tileText(kernel.tiling.tile) : "",
      formatBytes(bytesBound(dispatch)),
      kernel.flops === undefined ? "" : formatCount(kernel.flops),
    ];
  });
  const { arenaBytes, inputBytes, variableBytes, peakBytes } = summary;
  const bytes = dispatches.reduce((sum, dispatch) => sum + bytesBound(dispatch), 0);
  const flops = dispatches.reduce((sum, { kernel }) => sum + (kernel.flops ?? 0), 0);
  const table = textTable(
    [["", "op", "kernel", "reads", "writes", "tile", "bytes", "FLOP"], ...rows],
    [0, 6, 7],
  );
  return `${table}
${dispatches.length} dispatches of ${summary.pipelines} pipelines bind ${formatBytes(bytes)}; products of ${formatCount(flops)}FLOP
arena ${formatBytes(arenaBytes)} in ${blocks.length} blocks, inputs ${formatBytes(inputBytes)}, variables ${formatBytes(variableBytes)}: ${formatBytes(peakBytes)}`;
}

/** Bytes of all that a dispatch binds: what it reads and writes if it touches each number once. */
export const bytesBound = ({ bindings }: Dispatch): number =>
  bindings.reduce((sum, { bytes }) => sum + bytes, 0);

/** Tensors that a line shows of what it reads, and of what it writes; an optimizer's step binds dozens. */
const MOST_LISTED = 4;

const listed = (texts: readonly string[]): string =>
  texts.length <= MOST_LISTED
    ? texts.join(" ")
    : `${texts.slice(0, MOST_LISTED - 1).join(" ")} … and ${texts.length - MOST_LISTED + 1} more`;

/** `[2, 8, 8, 64]`, `[64]f16`, `scratch(1.5 KiB)`. */
function typeText({ owner, bytes }: Binding): string {
  if ("scratch" in owner) return `scratch(${formatBytes(bytes)})`;
  return shapeText(owner.shape) + dtypeText(owner);
}

const dtypeText = ({ dtype }: TensorType): string => (dtype === "f32" ? "" : dtype);

const tileText = ({ rows, columns, steps }: Tile): string =>
  [rows, columns, ...(steps === undefined ? [] : [steps])].join("×");
