import type { Uniform } from "../kernel.ts";
import { tensorFactors } from "./several-tensors.ts";

/** How an optimizer's kernel treats each tensor by itself. */
export interface TensorRates {
  readonly params: Readonly<Record<string, Uniform>>;
  /** Begins a product with the factor of tensor `i` on the learning rate; empty without factors. */
  readonly times: (tensor: number) => string;
  /** Subtracts the decoupled weight decay of `parameter<i>` from what stands before it; empty without decays. */
  readonly decayed: (tensor: number) => string;
}

/** @param values of each tensor: its share of weight decay a step, and the factor on its learning rate */
export function tensorRates(values: {
  readonly decays?: readonly number[] | undefined;
  readonly rates?: readonly number[] | undefined;
}): TensorRates {
  const [decay, rate] = [tensorFactors("decay", values.decays), tensorFactors("rate", values.rates)];
  return {
    params: { ...decay.params, ...rate.params },
    times: rate.times,
    decayed: (i) =>
      values.decays
        ? ` - ${decay.times(i)}${rate.times(i)}load_learningRate(0) * load_parameter${i}(first)`
        : "",
  };
}
