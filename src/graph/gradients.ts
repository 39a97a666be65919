import type { Graph, Node, Tensor } from "./graph.ts";
import type { JoinedPart, Op } from "./op.ts";
import { add } from "./ops/add.ts";
import { fill } from "./ops/fill.ts";
import { sameShape, shapeText, sizeOf } from "./shape.ts";

/**
 * Reverse-mode automatic differentiation: adds the backward pass of the scalar `loss` to its graph and returns the
 * gradient of each tensor of `wrt` (by default every trainable parameter) that the loss depends on, in their order. What it
 * does not depend on is not in the map, and an optimizer leaves it as it is.
 *
 * Only nodes that lead from `wrt` to the loss are visited, so what is frozen costs nothing.
 *
 * @throws Error when `loss` is not a scalar, when nothing of `wrt` leads to it, when an op on the way has no gradient
 *   (`stopGradient` takes it for a constant), or when an op's gradient does not have its input's shape.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[] = trainable(loss.graph)): Map<Tensor, Tensor> {
  if (loss.shape.length !== 0)
    throw new Error(`The loss must be a scalar; "${loss.name}" is ${shapeText(loss.shape)}.`);
  return loss.graph.addBackward(() => backwardPass(loss, wrt));
}

type JoinParts = NonNullable<Op["joinParts"]>;

function backwardPass(loss: Tensor, wrt: readonly Tensor[]): Map<Tensor, Tensor> {
  const { graph } = loss;
  // Backward nodes are appended to the same list while it is walked.
  const forward = graph.nodes.slice();
  const origins = findOrigins(wrt, forward);
  if (!origins.has(loss)) throw new Error(`"${loss.name}" does not depend on any of the tensors asked for.`);

  const parts = new Map<Tensor, Tensor[]>([[loss, [fill(graph, loss.shape, 1)]]]);
  const contribute = (tensor: Tensor, gradient: Tensor): void => {
    const terms = parts.get(tensor);
    if (terms) terms.push(gradient);
    else parts.set(tensor, [gradient]);
  };
  /** What came to parts of a stack: joined in one go when it is asked for. */
  const ofParts = new Map<Tensor, { readonly parts: JoinedPart[]; readonly join: JoinParts }>();
  const contributePart = (stack: Tensor, begin: number, values: Tensor, join: JoinParts): void => {
    const known: JoinedPart[] = ofParts.get(stack)?.parts ?? [];
    ofParts.set(stack, { parts: known, join });
    const end = begin + sizeOf(values.shape);
    const met = known.findIndex((each) => each.begin < end && begin < each.begin + sizeOf(each.values.shape));
    if (met < 0) known.push({ begin, values });
    else if (known[met].begin === begin && sameShape(known[met].values.shape, values.shape))
      known[met] = { begin, values: add(known[met].values, values) };
    else contribute(stack, join(stack, [{ begin, values }]));
  };
  const total = (tensor: Tensor): Tensor | null => {
    const joined = ofParts.get(tensor);
    ofParts.delete(tensor);
    if (joined) contribute(tensor, joined.join(tensor, joined.parts));
    const terms = parts.get(tensor);
    if (!terms) return null;
    if (terms.length > 1) terms.splice(0, terms.length, terms.reduce(add));
    return terms[0];
  };

  for (const node of forward.reverse()) {
    const { op, inputs, outputs } = node;
    const followed = inputs.map((input) => origins.has(input) && !isConstant(node, input));
    if (!followed.includes(true) || !outputs.some((output) => parts.has(output) || ofParts.has(output)))
      continue;
    if (op.begin !== undefined && op.joinParts) {
      contributePart(inputs[0], op.begin, total(outputs[0])!, op.joinParts);
      continue;
    }
    const refusal = (i: number): Error => noGradient(loss, origins.get(inputs[i])!, node, inputs[i]);
    if (!op.gradient) throw refusal(followed.indexOf(true));
    const thunks = op.gradient(outputGradients(node, total, contribute), outputs);
    inputs.forEach((input, i) => {
      if (!followed[i]) return;
      const thunk = thunks.at(i);
      if (!thunk) throw refusal(i);
      const gradient = thunk();
      if (!sameShape(gradient.shape, input.shape)) {
        throw new Error(
          `${op.name}: the gradient of input ${i} ("${input.name}") is ${shapeText(gradient.shape)} and the ` +
            `input ${shapeText(input.shape)}.`,
        );
      }
      contribute(input, gradient);
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

/** Of each tensor that depends on some of `wrt`, otherwise than as a constant, one that it depends on. */
function findOrigins(wrt: readonly Tensor[], nodes: readonly Node[]): Map<Tensor, Tensor> {
  const origins = new Map(wrt.map((tensor) => [tensor, tensor]));
  for (const node of nodes) {
    const input = node.inputs.find((input) => origins.has(input) && !isConstant(node, input));
    if (!input) continue;
    for (const output of node.outputs) if (!origins.has(output)) origins.set(output, origins.get(input)!);
  }
  return origins;
}

const isConstant = ({ op }: Node, input: Tensor): boolean => op.constants?.includes(input) ?? false;

/** What came to the outputs of `node`; what came to the moments of the first has become a part of the first's. */
function outputGradients(
  { op, outputs }: Node,
  total: (tensor: Tensor) => Tensor | null,
  contribute: (tensor: Tensor, gradient: Tensor) => void,
): (Tensor | null)[] {
  if (!op.moments) return outputs.map(total);
  const [y] = outputs;
  const [mean, variance] = [outputs[op.moments.mean], outputs[op.moments.variance]];
  const [dmean, dvariance] = [total(mean), total(variance)];
  if (dmean || dvariance) contribute(y, op.moments.gradient(y, mean, dmean, dvariance));
  return outputs.map((output) => (output === mean || output === variance ? null : total(output)));
}

function noGradient(loss: Tensor, origin: Tensor, { op, outputs }: Node, input: Tensor): Error {
  const from = origin === input ? "" : ` from "${origin.name}"`;
  return new Error(
    `${op.name} ("${outputs[0].name}") has no gradient by its input "${input.name}" and lies on the way${from} to the loss ` +
      `"${loss.name}": leave it out of the loss, or take what should not be learned through it for a constant with ` +
      `stopGradient.`,
  );
}
