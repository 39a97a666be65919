import { eachOfRow, reduceRow } from "./row-lanes.ts";
import type { RowLanes } from "./row-lanes.ts";

/** What a kernel finds out of a pixel's logits besides their softmax. */
export interface SoftmaxRowParts {
  /** The logit of the label, a variable `label` of the text: `ofLabel`. */
  readonly ofLabel?: boolean;
  /** The index of the largest logit, of equal ones the first: `found`. */
  readonly found?: boolean;
  /** The sum of the logits: `logitSum`. */
  readonly logitSum?: boolean;
  /** The part of `total` that is not the label's: `others`, which is exact where the label has nearly all. Needs `ofLabel`. */
  readonly others?: boolean;
}

/** WGSL of the softmax of a pixel's logits, for kernels of `rowMain` that have called `holdRow`. */
export interface SoftmaxRow {
  /** `text(value, i)` for each logit of the lane; once `total` has run, a held `value` is what `exponential` wants. */
  readonly each: (text: (value: string, i: string) => string) => string;
  /** exp(logit − largest) of a value that {@link each} gives after `total`. */
  readonly exponential: (value: string) => string;
  /** Brings a variable of the lanes to its sum over them all. */
  readonly reduceSum: (variable: string) => string;
  /** Finds `largest`, and `ofLabel` and `logitSum` where they are wanted. */
  readonly largest: string;
  /** Finds `total`, Σ exp(logit − largest), and `others` where it is wanted. */
  readonly total: string;
  /** Brings the lanes' `found` together. */
  readonly found: string;
}

/** @param logits the buffer's name. */
export function softmaxRow(
  layout: RowLanes,
  logits: string,
  { ofLabel = false, found = false, logitSum = false, others = false }: SoftmaxRowParts,
): SoftmaxRow {
  const each = (text: (value: string, i: string) => string): string => eachOfRow(layout, logits, text);
  const reduceSum = (variable: string): string => reduceRow(layout, variable, (a, b) => `${a} + ${b}`);
  const when = (condition: boolean, text: string): string => (condition ? text : "");
  return {
    each,
    // A held value has been replaced by it.
    exponential: (value) => (layout.held > 0 ? value : `exp(${value} - largest)`),
    reduceSum,
    largest: /* wgsl */ `
    var largest = load_${logits}(begin + lane);
    var found = lane;
    var ofLabel = 0.0;
    ${when(logitSum, "var logitSum = 0.0;\n    ")}${each(
      (value, i) => `{ let value = ${value};
      ${when(found, `found = select(found, ${i}, value > largest);`)}
      ${when(ofLabel, `ofLabel = select(ofLabel, value, ${i} == label);`)}
      ${when(logitSum, "logitSum += value;\n      ")}largest = max(largest, value); }`,
    )}
    let largestOfLane = largest;
    ${reduceRow(layout, "largest", (a, b) => `max(${a}, ${b})`)}
    ${when(ofLabel, reduceSum("ofLabel"))}${when(logitSum, reduceSum("logitSum"))}`,
    total: others
      ? /* wgsl */ `
    var others = 0.0;
    ${each((value, i) => {
      if (layout.held === 0) return `others += select(exp(${value} - largest), 0.0, ${i} == label);`;
      return `${value} = exp(${value} - largest); others += select(${value}, 0.0, ${i} == label);`;
    })}
    ${reduceSum("others")}
    let total = others + exp(ofLabel - largest);`
      : /* wgsl */ `
    var total = 0.0;
    ${each((value) => {
      if (layout.held === 0) return `total += exp(${value} - largest);`;
      return `${value} = exp(${value} - largest); total += ${value};`;
    })}
    ${reduceSum("total")}`,
    found: /* wgsl */ `
    found = select(params.extent, found, largestOfLane == largest);
    ${reduceRow(layout, "found", (a, b) => `min(${a}, ${b})`)}`,
  };
}
