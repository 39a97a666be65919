/** @file What every optimizer is given, and the checks they share. */
import type { Graph, Tensor } from "../graph.ts";
import { fill } from "../ops/fill.ts";
import { sameShape, shapeText } from "../shape.ts";

export interface OptimizerOptions {
  /** A constant, or a scalar tensor, so that each step can be fed its own. */
  readonly learningRate: number | Tensor;
  /** Part of the names of the optimizer's variables; another name is another, fresh optimizer. */
  readonly name?: string;
}

/** @throws Error when a key is not a variable or a gradient has not its parameter's shape. */
export function checkGradients(op: string, gradients: ReadonlyMap<Tensor, Tensor>): void {
  for (const [parameter, gradient] of gradients) {
    const { shape } = parameter;
    if (!parameter.variable) throw new Error(`${op}: "${parameter.name}" is not a variable.`);
    if (!sameShape(shape, gradient.shape)) {
      throw new Error(
        `${op}: the gradient of "${parameter.name}" ${shapeText(shape)} is ${shapeText(gradient.shape)}.`,
      );
    }
  }
}

/**
 * The learning rate as a scalar tensor.
 *
 * @throws Error when it is a tensor and not a scalar.
 */
export function learningRateTensor(op: string, graph: Graph, learningRate: number | Tensor): Tensor {
  if (typeof learningRate === "number") return fill(graph, [], learningRate);
  const { name, shape } = learningRate;
  if (shape.length > 0) {
    throw new Error(`${op}: the learning rate must be a scalar; "${name}" is ${shapeText(shape)}.`);
  }
  return learningRate;
}
