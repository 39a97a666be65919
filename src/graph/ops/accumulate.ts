import {
  ACCUMULATED_TENSORS,
  accumulateScaled,
  CLEARED_TENSORS,
  clearTensors,
} from "../../kernels/accumulate.ts";
import { storageOf } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { sameShape, shapeText } from "../shape.ts";
import { groupsOf, lengthOf, partsOf } from "../lowering/tensor-groups.ts";

/**
 * Adds `share · x` to each variable in place, as when the gradients of several batches are summed up. Returns the node,
 * to be given to `compile` as an update.
 *
 * @param terms for each variable, or part of a stacked one, what is added to it.
 * @param share a scalar.
 * @throws Error when a key is neither, a term does not have its variable's shape, or `share` is not a scalar.
 */
export function accumulate(terms: ReadonlyMap<Tensor, Tensor>, share: Tensor): Node {
  for (const [sum, x] of terms) {
    checkVariable("accumulate", sum);
    if (!sameShape(sum.shape, x.shape)) {
      throw new Error(
        `accumulate: "${sum.name}" is ${shapeText(sum.shape)} and what is added to it ${shapeText(x.shape)}.`,
      );
    }
  }
  if (share.shape.length > 0)
    throw new Error(`accumulate: the share must be a scalar; "${share.name}" is ${shapeText(share.shape)}.`);
  return share.graph.apply(
    {
      name: "accumulate",
      family: "optimizer",
      outputs: [],
      updates: [...terms.keys()],
      lower(l) {
        const parts = [...terms].flatMap(([sum, x]) =>
          l.slices([sum, x]).map((range) => ({ sum: batchSlice(sum, range), x: batchSlice(x, range) })),
        );
        for (const group of groupsOf(ACCUMULATED_TENSORS, parts)) {
          const bound = group.flatMap(({ sum, x }, i) => [[`sum${i}`, sum] as const, [`x${i}`, x] as const]);
          const lengths = group.map(({ x }) => lengthOf(x));
          l.dispatch(accumulateScaled(l.target, lengths), { share, ...Object.fromEntries(bound) });
        }
      },
    },
    [...terms.keys(), ...terms.values(), share],
  );
}

/**
 * Sets variables to zero. Returns the node, to be given to `compile` as an update: it must be made after whatever reads
 * them.
 *
 * @throws Error when there is none, or one is not a variable.
 */
export function clear(variables: readonly Tensor[]): Node {
  if (variables.length === 0) throw new Error("clear takes one variable or more and was given none.");
  for (const variable of variables) checkVariable("clear", variable);
  return variables[0].graph.apply(
    {
      name: "clear",
      family: "optimizer",
      outputs: [],
      updates: variables,
      lower(l) {
        for (const group of groupsOf(CLEARED_TENSORS, partsOf(l, variables))) {
          const bound = group.map((part, i) => [`x${i}`, part] as const);
          l.dispatch(clearTensors(l.target, group.map(lengthOf)), Object.fromEntries(bound));
        }
      },
    },
    variables,
  );
}

function checkVariable(op: string, tensor: Tensor): void {
  const { name } = tensor;
  if (!storageOf(tensor).variable) throw new Error(`${op}: "${name}" is not a variable.`);
}
