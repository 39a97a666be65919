/**
 * @file A chain of functions of numbers as WGSL: `value(index)`, the last one's value at a place of a tensor, of what the
 * tensors that are bound hold there. What is smaller is broadcast, by NumPy's rules: axes are matched from the last one on, and
 * one of extent 1, or that is not there, is repeated.
 */
import { u32 } from "../kernel.ts";
import type { Uniform } from "../kernel.ts";

type Extents = readonly number[];

/** A tensor that is read, by the name of its binding. */
export interface Source {
  readonly shape: Extents;
  /** Whether it holds u32, not floats. */
  readonly uint: boolean;
  /** Whether all of it is bound where only some items of the batch are computed. */
  readonly whole?: boolean;
}

/**
 * A function of numbers: WGSL of its value, of a lane of floats `T` or of whole numbers `U`, from variables of one letter. Each of
 * these is a source, an earlier step (`v0`, `v1`, ..) or a number.
 */
export interface Step {
  /** A WGSL expression. */
  readonly text: string;
  /** What each letter of the text is: the name of a source or an earlier step, or a number. */
  readonly args: Readonly<Record<string, string | Uniform>>;
  /** Whether its value is of u32. */
  readonly uint: boolean;
}

/** Steps over sources, at every place of `shape`; without any, the only source itself. */
export interface Chain {
  readonly shape: Extents;
  /** Items of the batch, the first axis, that are computed; all by default. */
  readonly items?: { readonly first: number; readonly count: number };
  readonly sources: Readonly<Record<string, Source>>;
  readonly steps: readonly Step[];
}

/** What a kernel needs for `value(index)`, where `index` counts lanes of `width` numbers. */
export interface ValueText {
  readonly width: 4 | 1;
  /** WGSL type of a lane of the value. */
  readonly type: string;
  readonly read: Record<string, string>;
  readonly params: Record<string, Uniform>;
  readonly functions: string;
}

/** The shape of what is computed. */
export const shapeOfItems = ({ shape, items }: Chain): Extents =>
  items && shape.length > 0 ? [items.count, ...shape.slice(1)] : shape;

const sizeOf = (shape: Extents): number => shape.reduce((product, extent) => product * extent, 1);

/** Four numbers at once where all sources come in fours, or are the same for four; `mayBeWide` false: one by one. */
export function valueText(chain: Chain, mayBeWide = true): ValueText {
  const { shape, items, sources, steps } = chain;
  const all = Object.entries(sources);
  const shapes = [shape, ...all.map(([, source]) => source.shape)];
  const before = (items?.first ?? 0) * sizeOf(shape.slice(1));
  const inFours = sizeOf(shapeOfItems(chain)) % 4 === 0 && before % 4 === 0;
  const width = mayBeWide && inFours && shapes.every((each) => comesInFours(each, shape)) ? 4 : 1;
  const [float, uint] = width === 4 ? ["vec4f", "vec4u"] : ["f32", "u32"];
  const [read, params]: [Record<string, string>, Record<string, Uniform>] = [{}, {}];
  const isUint: Record<string, boolean> = {};
  const lines = all.map(([name, source]) => {
    isUint[name] = source.uint;
    if (source.whole) params.before = u32(before / width);
    const index = source.whole ? "(index + params.before)" : "index";
    const { text, isLane } = placeText(index, source.shape, shape, width);
    const lane = source.uint ? uint : float;
    read[name] = `array<${isLane ? lane : source.uint ? "u32" : "f32"}>`;
    return `let ${name} = ${source.uint ? "U" : "T"}(load_${name}(${text}));`;
  });
  const functions = new Map<string, string>();
  let last = all[0]?.[0] ?? "";
  steps.forEach(({ text, args, uint }, i) => {
    const types = Object.entries(args).map(([letter, arg]) => {
      const whole = typeof arg === "string" ? isUint[arg] : arg.type === "u32";
      return `${letter}: ${whole ? "U" : "T"}`;
    });
    const definition = `(${types.join(", ")}) -> ${uint ? "U" : "T"} { return ${text}; }`;
    const name = functions.get(definition) ?? `f${functions.size}`;
    functions.set(definition, name);
    const given = Object.values(args).map((arg) => {
      if (typeof arg === "string") return arg;
      const param = `number${Object.keys(params).length}`;
      params[param] = arg;
      return `${arg.type === "u32" ? "U" : "T"}(params.${param})`;
    });
    last = `v${i}`;
    isUint[last] = uint;
    lines.push(`let ${last} = ${name}(${given.join(", ")});`);
  });
  const type = isUint[last] ? "U" : "T";
  return {
    ...{ width, read, params },
    type: isUint[last] ? uint : float,
    functions: `alias T = ${float};
alias U = ${uint};
${[...functions].map(([definition, name]) => `fn ${name}${definition}\n`).join("")}
fn value(index: u32) -> ${type} {
  ${lines.join("\n  ")}
  return ${last};
}
`,
  };
}

/** Neighbouring axes that are all there, or all repeated, taken for one; the innermost first. */
export interface MergedAxis {
  readonly extent: number;
  readonly marked: boolean;
}

/** The axes of `shape` larger than 1, neighbours with the same mark merged; the innermost first. */
export function mergeAxes(shape: Extents, isMarked: (axis: number) => boolean): MergedAxis[] {
  const merged: { extent: number; marked: boolean }[] = [];
  shape.forEach((extent, axis) => {
    if (extent === 1) return;
    const marked = isMarked(axis);
    const outer = merged[0];
    if (outer?.marked === marked) outer.extent *= extent;
    else merged.unshift({ extent, marked });
  });
  return merged;
}

/** The axes of `to`, marked where a tensor `shape` has them. */
const broadcastAxes = (shape: Extents, to: Extents): MergedAxis[] =>
  mergeAxes(to, (axis) => (shape[axis - (to.length - shape.length)] ?? 1) > 1);

const comesInFours = (shape: Extents, to: Extents): boolean => {
  const axes = broadcastAxes(shape, to);
  return axes.length > 0 && axes[0].extent % 4 === 0;
};

/**
 * WGSL of where the element of a tensor `shape` lies that is seen at lane `index` of `to`, and whether a lane begins there.
 * Extents are in the text, where a compiler makes a product of a quotient.
 */
function placeText(
  index: string,
  shape: Extents,
  to: Extents,
  width: 4 | 1,
): { text: string; isLane: boolean } {
  const [inner, ...outer] = broadcastAxes(shape, to);
  if (!inner) return { text: "0u", isLane: true };
  const axes = [{ ...inner, extent: inner.extent / width }, ...outer];
  return { text: walkText(index, axes, (axis) => axis.marked), isLane: inner.marked || width === 1 };
}

/**
 * WGSL of an offset for `index`, a place among all of `axes` (the innermost first): what a step along each of the `chosen` adds, by
 * `strides`; without these, the place among the chosen alone.
 */
export function walkText(
  index: string,
  axes: readonly MergedAxis[],
  chosen: (axis: MergedAxis) => boolean = () => true,
  strides?: readonly number[],
): string {
  let [size, own] = [1, 1];
  const terms: string[] = [];
  axes.forEach((axis, i) => {
    if (chosen(axis)) {
      const quotient = size > 1 ? `${index} / ${size}u` : index;
      const place = i < axes.length - 1 ? `${quotient} % ${axis.extent}u` : quotient;
      const stride = strides?.[i] ?? own;
      terms.push(stride > 1 ? `(${place}) * ${stride}u` : place);
      own *= axis.extent;
    }
    size *= axis.extent;
  });
  return terms.length === 0 ? "0u" : terms.join(" + ");
}
