/** @file Comparisons of two tensors, or of a tensor and a number, broadcast by NumPy's rules; and a choice by them. */
import type { Tensor } from "../graph.ts";
import { shapeText } from "../shape.ts";
import type { DType } from "../shape.ts";
import { elementwise, floats, isTensor } from "./elementwise.ts";
import type { TensorOrNumber } from "./elementwise.ts";

const compare =
  (name: string, sign: string) =>
  (a: TensorOrNumber, b: TensorOrNumber): Tensor<"u32"> => {
    const both = [a, b];
    const uint = both.some((each) => isTensor(each) && each.dtype === "u32");
    if (!uint) floats(name, a, b);
    for (const each of both) {
      if (uint && (isTensor(each) ? each.dtype !== "u32" : !Number.isInteger(each) || each < 0)) {
        const what = isTensor(each) ? `"${each.name}" ${each.dtype} ${shapeText(each.shape)}` : each;
        throw new Error(
          `${name} compares u32 with u32 or whole numbers from 0, not with ${what}: cast the u32 to f32 first.`,
        );
      }
    }
    const text = `select(U(0u), U(1u), a ${sign} b)`;
    return elementwise(name, text, { a, b }, { dtype: "u32", uint, gradients: {} });
  };

/**
 * 1 where `a = b`, otherwise 0, u32 (`keras.ops.equal`, whose result is of bool). Floats or u32, of shapes that broadcast by NumPy's
 * rules, here as in the others of this file; one of the two may be a number. The gradient takes both for constants.
 *
 * @throws Error when shapes do not broadcast, or floats are compared with u32.
 */
export const equal = /* @__PURE__ */ compare("equal", "==");

/** 1 where `a ≠ b`, otherwise 0; see {@link equal}. */
export const notEqual = /* @__PURE__ */ compare("not_equal", "!=");

/** 1 where `a < b`, otherwise 0; see {@link equal}. */
export const less = /* @__PURE__ */ compare("less", "<");

/** 1 where `a ≤ b`, otherwise 0; see {@link equal}. */
export const lessEqual = /* @__PURE__ */ compare("less_equal", "<=");

/** 1 where `a > b`, otherwise 0; see {@link equal}. */
export const greater = /* @__PURE__ */ compare("greater", ">");

/** 1 where `a ≥ b`, otherwise 0; see {@link equal}. */
export const greaterEqual = /* @__PURE__ */ compare("greater_equal", ">=");

/**
 * `a` where `condition`, u32, is not 0, and `b` elsewhere (`keras.ops.where`): floats, or one of them a number. Shapes of all three
 * broadcast. `a` and `b` have gradients, the condition none.
 *
 * @throws Error when the condition is not u32, the others are, or shapes do not broadcast.
 */
export function where<D extends DType>(
  condition: Tensor,
  a: TensorOrNumber<D>,
  b: TensorOrNumber<D>,
): Tensor<D> {
  if (condition.dtype !== "u32") {
    throw new Error(
      `where takes a condition of u32; "${condition.name}" is ${condition.dtype} ${shapeText(condition.shape)}: compare it ` +
        `with 0 first (notEqual).`,
    );
  }
  floats("where", a, b);
  return elementwise<D>(
    "where",
    "select(c, b, a != U(0u))",
    { a: condition, b: a, c: b },
    {
      gradients: { b: "select(T(0.0), d, a != U(0u))", c: "select(d, T(0.0), a != U(0u))" },
    },
  );
}
