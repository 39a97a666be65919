import type { Graph, Tensor } from "./graph.ts";
import { add } from "./ops/add.ts";
import { fill } from "./ops/fill.ts";
import { sameShape, shapeText } from "./shape.ts";

/**
 * Reverse-mode automatic differentiation: adds the backward pass of the scalar `loss` to its graph and returns the
 * gradient of each tensor of `wrt` (by default every trainable parameter) that the loss depends on, in their order.
 *
 * Only nodes that lead from `wrt` to the loss are visited, so what is frozen costs nothing.
 *
 * @throws Error when `loss` is not a scalar, when nothing of `wrt` leads to it, when an op on the way has no gradient,
 *   or when an op's gradient has not its input's shape.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[] = trainable(loss.graph)): Map<Tensor, Tensor> {
  if (loss.shape.length !== 0)
    throw new Error(`The loss must be a scalar; "${loss.name}" is ${shapeText(loss.shape)}.`);
  const { graph } = loss;
  const active = new Set<Tensor>(wrt);
  // Backward nodes are appended to the same list while it is walked.
  const forward = graph.nodes.slice();
  for (const node of forward) {
    if (node.op.gradient && node.inputs.some((input) => active.has(input))) {
      for (const output of node.outputs) active.add(output);
    }
  }
  if (!active.has(loss)) throw new Error(`"${loss.name}" does not depend on any of the tensors asked for.`);

  const parts = new Map<Tensor, Tensor[]>([[loss, [fill(graph, loss.shape, 1)]]]);
  const total = (tensor: Tensor): Tensor | null => {
    const terms = parts.get(tensor);
    if (!terms) return null;
    if (terms.length > 1) terms.splice(0, terms.length, terms.reduce(add));
    return terms[0];
  };

  for (const node of forward.reverse()) {
    if (!node.op.gradient || !node.inputs.some((input) => active.has(input))) continue;
    if (!node.outputs.some((output) => parts.has(output))) continue;
    const thunks = node.op.gradient(node.outputs.map(total), node.outputs);
    node.inputs.forEach((input, i) => {
      const thunk = thunks[i];
      if (!active.has(input) || !thunk) return;
      const gradient = thunk();
      if (!sameShape(gradient.shape, input.shape)) {
        throw new Error(
          `${node.op.name}: the gradient of input ${i} ("${input.name}") is ${shapeText(gradient.shape)} and the ` +
            `input ${shapeText(input.shape)}.`,
        );
      }
      const terms = parts.get(input);
      if (terms) terms.push(gradient);
      else parts.set(input, [gradient]);
    });
  }

  const result = new Map<Tensor, Tensor>();
  for (const tensor of wrt) {
    const gradient = total(tensor);
    if (gradient) result.set(tensor, gradient);
  }
  return result;
}

/** The parameters of `graph` that are learned. */
export function trainable(graph: Graph): Tensor[] {
  return [...graph.variables.values()].filter(({ variable }) => variable?.role === "parameter");
}
