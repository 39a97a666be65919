/**
 * @file Every op that works number by number, every reduction and every op on shapes, once: how it is built, what it takes, what it is in double
 * precision and in tfjs. Tests, benchmarks and the compiler lab run over it.
 */
import type * as tf from "@tensorflow/tfjs-core";
import * as theirs from "@tensorflow/tfjs-core";
import type { Tensor } from "../../../src/graph/graph.ts";
import { activation } from "../../../src/graph/ops/activation.ts";
import { add } from "../../../src/graph/ops/add.ts";
import * as binary from "../../../src/graph/ops/binary.ts";
import { cast } from "../../../src/graph/ops/cast.ts";
import * as compare from "../../../src/graph/ops/compare.ts";
import * as reduce from "../../../src/graph/ops/reduce.ts";
import { scale } from "../../../src/graph/ops/scale.ts";
import * as unary from "../../../src/graph/ops/unary.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import { LOSS_TABLE } from "./loss-table.ts";
import { SHAPE_TABLE } from "./shape-table.ts";
import type { Domain, TableEntry, Values } from "./table-entry.ts";

const ANY: Domain = [-3, 3];
/** Far enough from 0 for a quotient. */
const POSITIVE: Domain = [0.2, 3];
const EQUALS: Domain = { levels: 5 };

/** The shape that shapes broadcast to, by NumPy's rules. */
export function broadcast(...shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)),
  );
}

/** Where the element of a tensor `shape` lies that is seen at `index` of `to`. */
function placeOf(index: number, shape: Shape, to: Shape): number {
  let [place, stride, rest] = [0, 1, index];
  for (let back = 1; back <= to.length; back++) {
    const at = rest % to[to.length - back];
    rest = Math.floor(rest / to[to.length - back]);
    const own = shape[shape.length - back] ?? 1;
    if (own > 1) place += at * stride;
    stride *= own;
  }
  return place;
}

/** `f` at each place of what the inputs broadcast to. */
const pointwise =
  (f: (...numbers: number[]) => number) =>
  (...inputs: Values[]): Values => {
    const shape = broadcast(...inputs.map(({ shape }) => shape));
    const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
      f(...inputs.map((input) => input.data[placeOf(i, input.shape, shape)])),
    );
    return { shape, data };
  };

/** Axes reduced, with 1 in their place. */
const reduced =
  (axes: readonly number[] | undefined, f: (numbers: readonly number[]) => number) =>
  ({ shape, data }: Values): Values => {
    const over = (axis: number): boolean =>
      !axes || axes.includes(axis) || axes.includes(axis - shape.length);
    const kept = shape.map((extent, axis) => (over(axis) ? 1 : extent));
    const groups = Array.from({ length: sizeOf(kept) }, (): number[] => []);
    data.forEach((value, i) => groups[placeOf(i, kept, shape)].push(value));
    return { shape: kept, data: Float64Array.from(groups, f) };
  };

/** A lane of one and of four, cut along the batch where bindings are small, one element, a scalar. */
const ALONE: readonly (readonly Shape[])[] = [[[3, 5, 7]], [[8, 192]], [[1]], [[]]];
const PAIRS: readonly (readonly Shape[])[] = [
  [
    [3, 5, 7],
    [3, 5, 7],
  ],
  [[8, 192], [192]],
  [
    [4, 1, 3],
    [2, 1],
  ],
  [
    [8, 1],
    [8, 192],
  ],
  [[], [6]],
];
/** What else broadcasting can ask for. */
const MORE_PAIRS: readonly (readonly Shape[])[] = [
  [[1], [1]],
  [[], []],
  [
    [2, 3, 4, 8],
    [3, 1, 8],
  ],
  [
    [2, 3, 4, 8],
    [2, 1, 4, 1],
  ],
  [
    [1, 3, 1, 5],
    [2, 1, 4, 1],
  ],
  [
    [8, 4, 16],
    [8, 1, 16],
  ],
  [[5], [2, 3, 1]],
  [
    [8, 64],
    [1, 1, 1],
  ],
];

const normal = (x: number): number => 0.5 * (1 + erf(x * Math.SQRT1_2));

/** By its series: of what the table takes, to 1e-15. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

type Unary = [
  name: Exclude<keyof typeof unary, "gelu">,
  f: (x: number) => number,
  domain?: Domain,
  theirs?: (x: tf.Tensor) => tf.Tensor,
];
const UNARY: readonly Unary[] = [
  ["negative", (x) => -x, ANY, (x) => theirs.neg(x)],
  ["abs", Math.abs, ANY, (x) => theirs.abs(x)],
  ["sign", Math.sign, EQUALS, (x) => theirs.sign(x)],
  ["floor", Math.floor, ANY, (x) => theirs.floor(x)],
  ["square", (x) => x * x, ANY, (x) => theirs.square(x)],
  ["sqrt", Math.sqrt, POSITIVE, (x) => theirs.sqrt(x)],
  ["rsqrt", (x) => 1 / Math.sqrt(x), POSITIVE, (x) => theirs.rsqrt(x)],
  ["reciprocal", (x) => 1 / x, POSITIVE, (x) => theirs.reciprocal(x)],
  ["exp", Math.exp, ANY, (x) => theirs.exp(x)],
  ["log", Math.log, POSITIVE, (x) => theirs.log(x)],
  ["sin", Math.sin, ANY, (x) => theirs.sin(x)],
  ["cos", Math.cos, ANY, (x) => theirs.cos(x)],
  ["erf", erf, ANY, (x) => theirs.erf(x)],
  ["tanh", Math.tanh, ANY, (x) => theirs.tanh(x)],
  ["sigmoid", sigmoid, ANY, (x) => theirs.sigmoid(x)],
  ["softplus", (x) => Math.log1p(Math.exp(x)), ANY, (x) => theirs.softplus(x)],
  ["silu", (x) => x * sigmoid(x), ANY, (x) => theirs.mul(x, theirs.sigmoid(x))],
];

type Binary = [
  name: string,
  build: (a: Tensor, b: Tensor) => Tensor,
  f: (a: number, b: number) => number,
  theirs: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  domains?: readonly [Domain, Domain],
];
const BINARY: readonly Binary[] = [
  ["add", add, (a, b) => a + b, (a, b) => theirs.add(a, b)],
  ["subtract", binary.subtract, (a, b) => a - b, (a, b) => theirs.sub(a, b)],
  ["multiply", binary.multiply, (a, b) => a * b, (a, b) => theirs.mul(a, b)],
  ["divide", binary.divide, (a, b) => a / b, (a, b) => theirs.div(a, b), [ANY, POSITIVE]],
  ["power", binary.power, Math.pow, (a, b) => theirs.pow(a, b), [POSITIVE, ANY]],
  ["minimum", binary.minimum, Math.min, (a, b) => theirs.minimum(a, b)],
  ["maximum", binary.maximum, Math.max, (a, b) => theirs.maximum(a, b)],
];

const COMPARISONS: readonly [keyof typeof compare, (a: number, b: number) => boolean][] = [
  ["equal", (a, b) => a === b],
  ["notEqual", (a, b) => a !== b],
  ["less", (a, b) => a < b],
  ["lessEqual", (a, b) => a <= b],
  ["greater", (a, b) => a > b],
  ["greaterEqual", (a, b) => a >= b],
];

const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b);
const REDUCTIONS: readonly [keyof typeof reduce, (numbers: readonly number[]) => number][] = [
  ["sum", total],
  ["mean", (numbers) => total(numbers) / numbers.length],
  ["max", (numbers) => Math.max(...numbers)],
  ["min", (numbers) => Math.min(...numbers)],
];
/** Rows, columns, both around what is kept and kept around them, all; in fours and not. */
const AXES: readonly (readonly number[] | undefined)[] = [[-1], [0], [1], [0, -1], undefined];

const REDUCED: readonly (readonly Shape[])[] = [
  [[3, 5, 7]],
  [[8, 4, 16]],
  [[1, 1]],
  [[1027]],
  [[6, 128, 2]],
  [[2, 33, 4]],
];

export const TABLE: readonly TableEntry[] = [
  ...UNARY.map(([name, f, domain = ANY, tfjs]): TableEntry => ({
    name,
    build: unary[name],
    domains: [domain],
    shapes: ALONE,
    reference: pointwise(f),
    constant: name === "sign" || name === "floor",
    ...(tfjs && { theirs: tfjs }),
  })),
  {
    name: "gelu",
    build: (x) => unary.gelu(x),
    domains: [ANY],
    shapes: ALONE,
    reference: pointwise((x) => x * normal(x)),
    theirs: (x) => theirs.mul(theirs.mul(x, 0.5), theirs.add(theirs.erf(theirs.mul(x, Math.SQRT1_2)), 1)),
  },
  {
    name: "gelu, approximate",
    build: (x) => unary.gelu(x, { approximate: true }),
    domains: [ANY],
    shapes: ALONE,
    reference: pointwise((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  },
  {
    name: "relu",
    build: (x) => activation(x, "relu"),
    domains: [ANY],
    shapes: ALONE,
    reference: pointwise((x) => Math.max(x, 0)),
    theirs: (x) => theirs.relu(x),
  },
  {
    name: "scale",
    build: (x) => scale(x, -0.37),
    domains: [ANY],
    shapes: ALONE,
    reference: pointwise((x) => x * Math.fround(-0.37)),
    theirs: (x) => theirs.mul(x, -0.37),
  },
  ...BINARY.map(([name, build, f, tfjs, domains = [ANY, ANY]]): TableEntry => ({
    ...{ name, build: (a, b) => build(a, b), domains, reference: pointwise(f), theirs: tfjs },
    shapes: name === "subtract" || name === "multiply" ? [...PAIRS, ...MORE_PAIRS] : PAIRS,
  })),
  {
    name: "a number less a tensor",
    build: (x) => binary.subtract(0.75, x),
    domains: [ANY],
    shapes: ALONE,
    reference: pointwise((x) => 0.75 - x),
  },
  {
    name: "a tensor with itself",
    build: (x) => binary.multiply(x, x),
    domains: [ANY],
    shapes: ALONE,
    reference: pointwise((x) => x * x),
  },
  ...COMPARISONS.map(([name, f]): TableEntry => ({
    name,
    build: (a, b) => (compare[name] as typeof compare.equal)(a, b),
    domains: [EQUALS, EQUALS],
    shapes: PAIRS,
    reference: pointwise((a, b) => Number(f(a, b))),
    constant: true,
    theirs: (a, b) => theirs[name as "equal"](a, b),
  })),
  {
    name: "equal of whole numbers",
    build: (a, b) => compare.equal(a, b),
    domains: [{ below: 3 }, { below: 3 }],
    shapes: PAIRS,
    reference: pointwise((a, b) => Number(a === b)),
    constant: true,
  },
  {
    name: "where",
    build: compare.where,
    domains: [{ below: 2 }, ANY, ANY],
    shapes: [
      ...ALONE.map(([shape]) => [shape, shape, shape]),
      [[4, 1, 3], [2, 1], []],
      [[8, 1], [192], [8, 192]],
    ],
    reference: pointwise((c, a, b) => (c !== 0 ? a : b)),
  },
  {
    name: "cast of whole numbers",
    build: (x) => cast(x, "f32"),
    domains: [{ below: 1000 }],
    shapes: ALONE,
    reference: pointwise((x) => x),
    constant: true,
  },
  ...REDUCTIONS.flatMap(([name, f]) =>
    AXES.map((axes): TableEntry => ({
      name: `${name} over ${axes ? `[${axes.join(", ")}]` : "all axes"}`,
      build: (x) =>
        reduce[name](x, { keepDims: true, ...(axes && { axis: axes.length === 1 ? axes[0] : axes }) }),
      // What cancels is noise of what is added up.
      domains: [[-1, 3]],
      shapes: REDUCED.filter(([shape]) => shape.length > 1 || !axes || (axes.length === 1 && axes[0] < 1)),
      reference: reduced(axes, f),
      theirs: (x) => theirs[name](x, axes && [...axes], true),
    })),
  ),
  ...LOSS_TABLE,
  ...SHAPE_TABLE,
];
