/**
 * @file Activation functions and their derivatives as WGSL, for kernels that apply one to what they load or store. Names are
 * those of `keras.activations`. Every text is an expression on one lane, four numbers or one.
 */
import type { Lane } from "./lane.ts";

/** Functions of one number: a softmax is none. */
export type ActivationKind =
  | "relu"
  | "relu6"
  | "swish"
  | "sigmoid"
  | "hard_swish"
  | "tanh"
  | "softplus"
  | "gelu"
  | "gelu_tanh"
  | "linear";

/** WGSL type of a lane, or an alias of it. */
type LaneType = Lane["float"] | "T";

interface ActivationTexts {
  value(x: string, type: LaneType): string;
  /** The gradient by the input x, from x. */
  fromInput(x: string, dy: string, type: LaneType): string;
  /** The same from the output y, where it is enough. */
  fromOutput?(y: string, dy: string, type: LaneType): string;
}

/** Beyond -80 the exponential would leave the range in which WGSL promises a quotient. */
const sigmoid = (x: string, type: LaneType): string => `(1.0 / (1.0 + exp(-max(${x}, ${type}(-80.0)))))`;

const between = (x: string, low: string, high: string, type: LaneType): string =>
  `(${x} > ${type}(${low})) & (${x} < ${type}(${high}))`;

const whereBetween = (x: string, dy: string, type: LaneType): string =>
  `select(${type}(0.0), ${dy}, ${between(x, "0.0", "6.0", type)})`;

const wherePositive = (x: string, dy: string, type: LaneType): string =>
  `select(${type}(0.0), ${dy}, ${x} > ${type}(0.0))`;

/** relu6(x + 3) / 6. */
const hardSigmoid = (x: string, type: LaneType): string =>
  `(clamp(${x} + 3.0, ${type}(0.0), ${type}(6.0)) * (1.0 / 6.0))`;

/** Beyond ±10 it is ±1, and some adapters lose it far out. */
const tanh = (x: string, type: LaneType): string => `tanh(clamp(${x}, ${type}(-10.0), ${type}(10.0)))`;

/** The complementary error function of |x| without its factor exp(−x²) (Abramowitz & Stegun 7.1.26), to 1.5e-7. */
function erfcText(x: string): string {
  const t = `(1.0 / (1.0 + 0.3275911 * abs(${x})))`;
  const coefficients = ["1.061405429", "-1.453152027", "1.421413741", "-0.284496736", "0.254829592"];
  return coefficients.reduce(
    (sum, next) => (sum === "" ? `${next} * ${t}` : `(${sum} + ${next}) * ${t}`),
    "",
  );
}

/** The error function of the variable `x`. */
export const erfText = (x: string): string => `sign(${x}) * (1.0 - ${erfcText(x)} * exp(-${x} * ${x}))`;

/** Φ(x) of the normal distribution. */
function normalText(x: string, type: LaneType): string {
  const tail = `(0.5 * ${erfcText(`(${x} * ${Math.SQRT1_2})`)} * exp(-0.5 * ${x} * ${x}))`;
  return `select(${tail}, 1.0 - ${tail}, ${x} > ${type}(0.0))`;
}

const DENSITY = 1 / Math.sqrt(2 * Math.PI);

/** What gelu_tanh takes for Φ(x): (1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, which is a sigmoid of twice that. */
const SLOPE = 2 * Math.sqrt(2 / Math.PI);
const nearNormal = (x: string, type: LaneType, sign = ""): string =>
  sigmoid(`(${sign}${SLOPE} * ${x} * (1.0 + 0.044715 * ${x} * ${x}))`, type);

const TEXTS: Readonly<Record<ActivationKind, ActivationTexts>> = {
  relu: {
    value: (x, type) => `max(${x}, ${type}(0.0))`,
    fromInput: wherePositive,
    fromOutput: wherePositive,
  },
  relu6: {
    value: (x, type) => `clamp(${x}, ${type}(0.0), ${type}(6.0))`,
    fromInput: whereBetween,
    fromOutput: whereBetween,
  },
  swish: {
    value: (x, type) => `(${x} * ${sigmoid(x, type)})`,
    // s·(1 + x·(1 − s)), where 1 − s is the sigmoid of −x.
    fromInput: (x, dy, type) => `(${dy} * ${sigmoid(x, type)} * (1.0 + ${x} * ${sigmoid(`(-${x})`, type)}))`,
  },
  sigmoid: {
    value: sigmoid,
    fromInput: (x, dy, type) => `(${dy} * ${sigmoid(x, type)} * ${sigmoid(`(-${x})`, type)})`,
    fromOutput: (y, dy) => `(${dy} * ${y} * (1.0 - ${y}))`,
  },
  hard_swish: {
    value: (x, type) => `(${x} * ${hardSigmoid(x, type)})`,
    fromInput: (x, dy, type) =>
      `(${dy} * (${hardSigmoid(x, type)} + ` +
      `select(${type}(0.0), ${x} * (1.0 / 6.0), ${between(x, "-3.0", "3.0", type)})))`,
  },
  tanh: {
    value: tanh,
    fromInput: (x, dy, type) => `(${dy} * (1.0 - ${tanh(x, type)} * ${tanh(x, type)}))`,
    fromOutput: (y, dy) => `(${dy} * (1.0 - ${y} * ${y}))`,
  },
  softplus: {
    value: (x, type) => `(max(${x}, ${type}(0.0)) + log(1.0 + exp(-abs(${x}))))`,
    fromInput: (x, dy, type) => `(${dy} * ${sigmoid(x, type)})`,
  },
  gelu: {
    value: (x, type) => `(${x} * ${normalText(x, type)})`,
    fromInput: (x, dy, type) =>
      `(${dy} * (${normalText(x, type)} + ${x} * ${DENSITY} * exp(-0.5 * ${x} * ${x})))`,
  },
  gelu_tanh: {
    value: (x, type) => `(${x} * ${nearNormal(x, type)})`,
    // The derivative of a sigmoid is it times that of the negative.
    fromInput: (x, dy, type) =>
      `(${dy} * ${nearNormal(x, type)} * (1.0 + ${SLOPE} * ${x} * (1.0 + 0.134145 * ${x} * ${x}) * ` +
      `${nearNormal(x, type, "-")}))`,
  },
  linear: { value: (x) => x, fromInput: (_, dy) => dy, fromOutput: (_, dy) => dy },
};

/** All of {@link ActivationKind}. */
export const ACTIVATION_KINDS = Object.keys(TEXTS) as ActivationKind[];

/** Whether the gradient follows from the output, so that the input need not be kept. */
export const gradientFollowsFromOutput = (kind: ActivationKind): boolean =>
  TEXTS[kind].fromOutput !== undefined;

/**
 * The function of `x`. `hard_swish` is x·relu6(x + 3)/6.
 *
 * @param x text of a variable, which may occur several times
 * @param type of x: `vec4f`, `f32`, or `T` for an alias of one of them
 */
export const activationText = (kind: ActivationKind, x: string, type: LaneType): string =>
  TEXTS[kind].value(x, type);

/**
 * The gradient by the input: `dy` times the derivative at the input `x`; `T(1.0)` as `dy` gives the derivative alone. At a corner
 * it is 0, as TensorFlow has it. Parameters as of {@link activationText}.
 */
export const activationGradientText = (kind: ActivationKind, x: string, dy: string, type: LaneType): string =>
  TEXTS[kind].fromInput(x, dy, type);

/**
 * {@link activationGradientText} from the output `y`.
 *
 * @throws Error when the output does not tell; see {@link gradientFollowsFromOutput}.
 */
export function activationGradientOfOutputText(
  kind: ActivationKind,
  y: string,
  dy: string,
  type: LaneType,
): string {
  const text = TEXTS[kind].fromOutput?.(y, dy, type);
  if (text === undefined) throw new Error(`The gradient of ${kind} does not follow from its output.`);
  return text;
}
