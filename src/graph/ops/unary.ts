/** @file Functions of one number, elementwise, of any shape; those that networks bend by are in `activation.ts`. */
import { erfText } from "../../kernels/text/activation.ts";
import type { Tensor } from "../graph.ts";
import type { DType } from "../shape.ts";
import { activation } from "./activation.ts";
import { elementwise, floats } from "./elementwise.ts";

/** WGSL of the value and of the gradient; none of steps, whose gradient is 0 everywhere. */
const UNARY = {
  negative: ["-a", "-d"],
  abs: ["abs(a)", "d * sign(a)"],
  sign: ["sign(a)"],
  floor: ["floor(a)"],
  square: ["a * a", "2.0 * a * d"],
  sqrt: ["sqrt(a)", "0.5 * d / y"],
  rsqrt: ["inverseSqrt(a)", "-0.5 * d * y / a"],
  reciprocal: ["1.0 / a", "-d * y * y"],
  exp: ["exp(a)", "d * y"],
  log: ["log(a)", "d / a"],
  sin: ["sin(a)", "d * cos(a)"],
  cos: ["cos(a)", "-d * sin(a)"],
  erf: [erfText("a"), "d * 1.1283791670955126 * exp(-a * a)"],
} as const;

const unary = (name: keyof typeof UNARY): (<D extends DType>(x: Tensor<D>) => Tensor<D>) => {
  const [text, a] = UNARY[name] as readonly [string, string?];
  return (x) => {
    floats(name, x);
    return elementwise(name, text, { a: x }, { dtype: x.dtype, gradients: a === undefined ? {} : { a } });
  };
};

/** −x, elementwise, of f32 or f16 of any shape, as the others of this file. @throws Error when x is u32. */
export const negative = /* @__PURE__ */ unary("negative");

/** |x|; the gradient at 0 is 0. See {@link negative}. */
export const abs = /* @__PURE__ */ unary("abs");

/** −1, 0 or 1. The gradient takes x for a constant. See {@link negative}. */
export const sign = /* @__PURE__ */ unary("sign");

/** The largest whole number that is not above x. The gradient takes x for a constant. See {@link negative}. */
export const floor = /* @__PURE__ */ unary("floor");

/** x². See {@link negative}. */
export const square = /* @__PURE__ */ unary("square");

/** √x, of x from 0; its gradient at 0 is infinite. See {@link negative}. */
export const sqrt = /* @__PURE__ */ unary("sqrt");

/** 1/√x, of x above 0. See {@link negative}. */
export const rsqrt = /* @__PURE__ */ unary("rsqrt");

/** 1/x. See {@link negative}. */
export const reciprocal = /* @__PURE__ */ unary("reciprocal");

/** eˣ. See {@link negative}. */
export const exp = /* @__PURE__ */ unary("exp");

/** The natural logarithm, of x above 0. See {@link negative}. */
export const log = /* @__PURE__ */ unary("log");

/** sin x, of radians; exact to 2⁻¹¹ at worst where an adapter does no more than WGSL asks. See {@link negative}. */
export const sin = /* @__PURE__ */ unary("sin");

/** cos x, as {@link sin}. */
export const cos = /* @__PURE__ */ unary("cos");

/** The error function, to 1.5e-7 (Abramowitz & Stegun 7.1.26). See {@link negative}. */
export const erf = /* @__PURE__ */ unary("erf");

/** tanh x. See {@link negative}. */
export const tanh = <D extends DType>(x: Tensor<D>): Tensor<D> => activation(x, "tanh");

/** 1/(1 + e⁻ˣ). See {@link negative}. */
export const sigmoid = <D extends DType>(x: Tensor<D>): Tensor<D> => activation(x, "sigmoid");

/** log(1 + eˣ). See {@link negative}. */
export const softplus = <D extends DType>(x: Tensor<D>): Tensor<D> => activation(x, "softplus");

/** x · sigmoid(x), which is swish too (Elfwing et al. 2017). See {@link negative}. */
export const silu = <D extends DType>(x: Tensor<D>): Tensor<D> => activation(x, "swish");

/**
 * x·Φ(x), of the normal distribution Φ, or with `approximate` by tanh (Hendrycks & Gimpel 2016). Keras's default is the
 * former, of Transformers like GPT-2 the latter. See {@link negative}.
 */
export function gelu<D extends DType>(
  x: Tensor<D>,
  { approximate = false }: { readonly approximate?: boolean } = {},
): Tensor<D> {
  return activation(x, approximate ? "gelu_tanh" : "gelu");
}
