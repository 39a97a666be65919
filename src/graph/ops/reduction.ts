import type { ReductionKind } from "../../kernels/reduce.ts";
import type { Tensor } from "../graph.ts";
import { formulaOfTensor } from "../lowering/formula.ts";
import { lowerReduction } from "../lowering/reduction.ts";
import type { Op } from "../op.ts";
import type { Shape } from "../shape.ts";

/** What is reduced, and the shape that is left. */
export interface ReductionOptions {
  /** The axis or axes that are reduced, negative ones counted from the last; all by default. */
  readonly axis?: number | readonly number[];
  /** Whether they stay, with extent 1; not by default. */
  readonly keepDims?: boolean;
}

/** Axes from 0 on, in order, and the shape that is left when they are reduced. */
export interface ReducedShape {
  readonly axes: readonly number[];
  readonly shape: Shape;
  /** The same with the reduced axes as 1. */
  readonly kept: Shape;
}

/**
 * What of `x` a reduction `op` reduces.
 *
 * @throws Error when x is u32, or an axis is not one of its axes or there twice.
 */
export function reducedShape(
  op: string,
  x: Tensor,
  { axis, keepDims = false }: ReductionOptions,
): ReducedShape {
  const { shape, name, dtype } = x;
  const all = shape.map((_, i) => i);
  const asked = axis === undefined ? all : typeof axis === "number" ? [axis] : axis;
  const axes = all.filter((i) => asked.includes(i) || asked.includes(i - shape.length));
  if (dtype === "u32")
    throw new Error(`${op} takes floats; "${name}" is u32 ${text(shape)}: cast it to f32 first.`);
  if (axes.length !== asked.length) {
    throw new Error(
      `${op}: "${name}" ${text(shape)} cannot be reduced over ${text(asked)}: name each axis once, from ` +
        `${-shape.length} to ${shape.length - 1}.`,
    );
  }
  const kept = shape.map((extent, i) => (axes.includes(i) ? 1 : extent));
  return { axes, kept, shape: keepDims ? kept : shape.filter((_, i) => !axes.includes(i)) };
}

const text = (numbers: readonly number[]): string => `[${numbers.join(", ")}]`;

/** `x` reduced over `axes`, f32 of the given shape; a sum times `scale`. Gradients are the caller's. */
export function reduction(
  name: string,
  x: Tensor,
  kind: ReductionKind,
  { axes, shape }: Pick<ReducedShape, "axes" | "shape">,
  gradient: NonNullable<Op["gradient"]>,
  scale = 1,
): Tensor<"f32"> {
  const overFormula: Op["overFormula"] = (l, formula, [y]) =>
    lowerReduction(l, kind, formula, axes, y, scale);
  return x.graph.apply(
    {
      name,
      family: "elementwise",
      outputs: [{ shape, dtype: "f32" }],
      overFormula,
      lower: (l, outputs) => overFormula(l, formulaOfTensor(x), outputs),
      gradient,
    },
    [x],
  ).outputs[0];
}
