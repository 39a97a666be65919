/** @file What the elementwise ops are made with: broadcasting, the node, its gradients. */
import { f32, u32 } from "../../kernels/kernel.ts";
import type { Uniform } from "../../kernels/kernel.ts";
import type { Tensor } from "../graph.ts";
import { formulaOf, lowerFormula } from "../lowering/formula.ts";
import type { Op } from "../op.ts";
import { sameShape, shapeText, sizeOf } from "../shape.ts";
import type { DType, Shape } from "../shape.ts";
import { reduction } from "./reduction.ts";

/** What a number may take the place of. */
export type TensorOrNumber<D extends DType = DType> = Tensor<D> | number;

/** What an elementwise op makes, and its gradients. */
export interface ElementwiseOptions<D extends DType = DType> {
  /** As the first of the largest arguments that hold floats, by default. */
  readonly dtype?: D;
  /** What all arguments broadcast to, by default. */
  readonly shape?: Shape;
  /**
   * WGSL of the gradient by an argument, from the arguments, the result `y` and its gradient `d`; other arguments are constants to
   * it. Without these there is no gradient.
   */
  readonly gradients?: Readonly<Record<string, string>>;
  /** Instead of `gradients`. */
  readonly gradient?: NonNullable<Op["gradient"]>;
  /** Whether numbers are u32. */
  readonly uint?: boolean;
  /** What it is to the rewrites of a plan; nothing by default. */
  readonly pattern?: Op["pattern"];
}

export const isTensor = <D extends DType>(arg: Tensor<D> | Uniform | number): arg is Tensor<D> =>
  typeof arg === "object" && "graph" in arg;

/** @throws Error when a tensor of `args` is u32. */
export function floats(op: string, ...args: readonly TensorOrNumber[]): void {
  for (const arg of args) {
    if (isTensor(arg) && arg.dtype === "u32")
      throw new Error(
        `${op} takes floats; "${arg.name}" is u32 ${shapeText(arg.shape)}: cast it to f32 first.`,
      );
  }
}

/**
 * An elementwise op of one's own: `text`, a WGSL expression of the letters of `given`, tensors or numbers, at each place of the shape
 * that all broadcast to. Chains of such ops run as one kernel.
 *
 * @throws Error when all are numbers, or shapes do not broadcast.
 */
export function elementwise<D extends DType = DType>(
  name: string,
  text: string,
  given: Readonly<Record<string, TensorOrNumber | Uniform>>,
  { gradients, gradient, uint = false, pattern, ...type }: ElementwiseOptions<D> = {},
): Tensor<D> {
  const args = Object.fromEntries(
    Object.entries(given).map(([letter, arg]) => [
      letter,
      typeof arg === "number" ? (uint ? u32(arg) : f32(arg)) : arg,
    ]),
  );
  const letters = Object.keys(args).filter((letter) => isTensor(args[letter]));
  const inputs = letters.map((letter) => args[letter] as Tensor);
  if (inputs.length === 0)
    throw new Error(`${name} takes a tensor and a number, or tensors, not numbers alone.`);
  const { shape = broadcastShape(name, inputs), dtype = dtypeOf(inputs) } = type;
  const derivative = (letter: string, y: Tensor, dy: Tensor): Tensor => {
    const x = args[letter] as Tensor;
    const text = gradients![letter];
    if (text === "d") return sumTo(dy, x.shape);
    const all = { ...args, y, d: dy };
    const used = Object.entries(all).filter(([each]) => new RegExp(`\\b${each}\\b`).test(text));
    const dtype = sameShape(x.shape, shape) ? x.dtype : "f32";
    return sumTo(elementwise(`${name}_gradient`, text, Object.fromEntries(used), { dtype, shape }), x.shape);
  };
  return inputs[0].graph.apply(
    {
      name,
      family: "elementwise",
      outputs: [{ shape, dtype }],
      elementwise: { text, args },
      ...(pattern && { pattern }),
      ...(gradients && { constants: inputs.filter((_, i) => gradients[letters[i]] === undefined) }),
      lower: (l, [y]) => lowerFormula(l, name, formulaOf(y.node!), y),
      ...(gradient && { gradient }),
      ...(gradients && {
        gradient: ([dy], [y]) =>
          letters.map((letter) =>
            gradients[letter] === undefined ? null : () => derivative(letter, y, dy!),
          ),
      }),
    },
    inputs,
  ).outputs[0] as Tensor<D>;
}

/**
 * The shape that all of `tensors` broadcast to, by NumPy's rules: axes are matched from the last one on.
 *
 * @throws Error when two extents differ and neither is 1.
 */
export function broadcastShape(op: string, tensors: readonly Tensor[]): Shape {
  const shape = broadcastExtents(tensors.map(({ shape }) => shape));
  if (shape) return shape;
  const named = tensors.map(({ name, shape }) => `"${name}" ${shapeText(shape)}`);
  throw new Error(
    `${op}: ${named.join(" and ")} differ in shape and do not broadcast: counted from the last axis, extents must be equal ` +
      `or 1; reshape one of them.`,
  );
}

/** The shape that `shapes` broadcast to; null where two extents differ and neither is 1. */
export function broadcastExtents(shapes: readonly Shape[]): Shape | null {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const at = (shape: Shape, axis: number): number => shape[axis - rank + shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, axis) => Math.max(...shapes.map((each) => at(each, axis))));
  const fits = shapes.every((each) => shape.every((extent, axis) => [1, extent].includes(at(each, axis))));
  return fits ? shape : null;
}

/** Of the first of the largest that hold floats. */
function dtypeOf(tensors: readonly Tensor[]): DType {
  const floats = tensors.filter(({ dtype }) => dtype !== "u32");
  const most = Math.max(...floats.map(({ shape }) => sizeOf(shape)));
  return floats.find(({ shape }) => sizeOf(shape) === most)?.dtype ?? "f32";
}

/** `x` repeated to `shape`, stored as `dtype`. */
export const broadcastTo = <D extends DType>(x: Tensor, shape: Shape, dtype: D): Tensor<D> =>
  sameShape(x.shape, shape) && x.dtype === dtype
    ? (x as Tensor<D>)
    : elementwise("broadcast_to", "a", { a: x }, { shape, dtype, gradients: { a: "d" } });

/** `x` summed over the axes that a tensor `shape` is broadcast along to have its shape: the opposite of {@link broadcastTo}. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lacking = x.shape.length - shape.length;
  const axes = x.shape.flatMap((extent, axis) =>
    axis < lacking || shape[axis - lacking] !== extent ? [axis] : [],
  );
  return reduction("sum_to", x, "sum", { axes, shape }, ([dy]) => [() => broadcastTo(dy!, x.shape, x.dtype)]);
}
