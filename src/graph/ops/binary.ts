/** @file Arithmetic of two tensors, or of a tensor and a number, broadcast by NumPy's rules; `add` has a file of its own. */
import type { Tensor } from "../graph.ts";
import type { DType } from "../shape.ts";
import { elementwise, floats } from "./elementwise.ts";
import type { TensorOrNumber } from "./elementwise.ts";

/** Of a negative base and a whole exponent too, which WGSL's `pow` does not promise; x⁰ is 1. */
const power_ = (b: string): string => {
  const sign = `1.0 - 2.0 * (${b} - 2.0 * floor(${b} * 0.5))`;
  return (
    `select(pow(abs(a), ${b}) * select(T(1.0), select(log(a), ${sign}, ${b} == floor(${b})), a < T(0.0)), T(1.0), ` +
    `${b} == T(0.0))`
  );
};

const zero = "T(0.0)";

/** WGSL of the value and of the gradients by `a` and `b`. At equal numbers minimum and maximum pass theirs to `a`. */
const BINARY = {
  subtract: ["a - b", "d", "-d"],
  multiply: ["a * b", "d * b", "d * a"],
  divide: ["a / b", "d / b", "-d * a / (b * b)"],
  power: [power_("b"), `d * b * ${power_("(b - 1.0)")}`, `select(${zero}, d * y * log(a), a > ${zero})`],
  minimum: ["min(a, b)", `select(${zero}, d, a <= b)`, `select(d, ${zero}, a <= b)`],
  maximum: ["max(a, b)", `select(${zero}, d, a >= b)`, `select(d, ${zero}, a >= b)`],
} as const;

type Arithmetic = <D extends DType>(a: TensorOrNumber<D>, b: TensorOrNumber<D>) => Tensor<D>;

const binary = (name: keyof typeof BINARY): Arithmetic => {
  const [text, da, db] = BINARY[name];
  return (a, b) => {
    floats(name, a, b);
    return elementwise(name, text, { a, b }, { gradients: { a: da, b: db } });
  };
};

/**
 * `a − b`, elementwise (`keras.ops.subtract`). Shapes broadcast by NumPy's rules, here as in the others of this file; one of the two
 * may be a number. The result is stored as the larger of the two is, of equals as the first. Both have a gradient, summed over
 * the axes that were broadcast.
 *
 * @throws Error when shapes do not broadcast, or a tensor is u32.
 */
export const subtract = /* @__PURE__ */ binary("subtract");

/** `a · b`, elementwise; see {@link subtract}. */
export const multiply = /* @__PURE__ */ binary("multiply");

/** `a / b`, elementwise; see {@link subtract}. */
export const divide = /* @__PURE__ */ binary("divide");

/**
 * `a` to the power of `b`, elementwise; see {@link subtract}. Of a negative `a` and a `b` that is not whole, not a number. The gradient
 * by `b` is 0 where `a` is not positive.
 */
export const power = /* @__PURE__ */ binary("power");

/** The smaller of `a` and `b`, elementwise; see {@link subtract}. Where they are equal `a` has the gradient. */
export const minimum = /* @__PURE__ */ binary("minimum");

/** The larger of `a` and `b`, elementwise; see {@link subtract}. Where they are equal `a` has the gradient. */
export const maximum = /* @__PURE__ */ binary("maximum");
