/** @file What every optimizer is given, the checks they share, and how they update many parameters at once. */
import type { Kernel, KernelTarget } from "../../kernels/kernel.ts";
import { tensorsAtOnce } from "../../kernels/text/several-tensors.ts";
import { storageOf, variableParts } from "../graph.ts";
import type { Graph, Node, Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, BatchSlice } from "../op.ts";
import { fill } from "../ops/fill.ts";
import { groupsByLane, lengthOf } from "../lowering/tensor-groups.ts";
import { sameShape, shapeText } from "../shape.ts";

/** What every optimizer takes. */
export interface OptimizerOptions {
  /** A constant, or a scalar tensor, so that each step can be fed its own. */
  readonly learningRate: number | Tensor;
  /** What the learning rate is multiplied by for a parameter: less for a pretrained encoder, say; 1 without. */
  readonly learningRateScale?: ((parameter: Tensor) => number) | undefined;
  /**
   * A scalar that every gradient is multiplied by, as `lossScaling` finds it; where it is 0 the step is skipped: parameters,
   * slots and the count of steps stay.
   */
  readonly gradientScale?: Tensor;
  /** Part of the names of the optimizer's variables; another name is another, fresh optimizer. */
  readonly name?: string;
}

/** Of optimizers with weight decay. */
export interface WeightDecayOptions {
  /**
   * Of every kernel a step takes `learningRate · weightDecay` of itself, apart from its gradient (decoupled: Loshchilov & Hutter
   * 2019). What has a single axis, a bias or a norm's γ or β, is let be, as timm and the recipes of segmentation do.
   */
  readonly weightDecay?: number;
}

/** What weight decay takes of a parameter, or of all parts of a stack: nothing where they have a single axis. */
export const decayOf = (parameter: Tensor, weightDecay: number): number =>
  variableParts(parameter).every(({ shape }) => shape.length > 1) ? weightDecay : 0;

/**
 * What the learning rate is multiplied by for each of some parameters; undefined where it is 1 for all.
 *
 * @throws Error when it is negative or no number.
 */
export function ratesOf(
  op: string,
  parameters: readonly Tensor[],
  { learningRateScale }: Pick<OptimizerOptions, "learningRateScale">,
): number[] | undefined {
  return (
    learningRateScale &&
    parameters.map((parameter) => {
      const scale = learningRateScale(parameter);
      checkFromZero(op, `learningRateScale of "${parameter.name}"`, scale);
      return scale;
    })
  );
}

/** How the optimizers' variables and those of the loss scale are made; see `Variable.group`. */
export const OPTIMIZER = { group: "optimizer" } as const;

/** @throws Error when a key is not a variable or a gradient does not have its parameter's shape. */
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

/** @throws Error when a share, of a mean that a step keeps for example, is not in [0, 1). */
export function checkShare(op: string, option: string, share: number): void {
  if (!(share >= 0 && share < 1))
    throw new Error(`${op}: ${option} must be at least 0 and below 1, and ${share} is not.`);
}

/** @throws Error when an option is negative or no number. */
export function checkFromZero(op: string, option: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value)))
    throw new Error(`${op}: ${option} must be a number from 0, and ${value} is not.`);
}

/**
 * The learning rate as a scalar tensor.
 *
 * @throws Error when it is a negative number or none, or a tensor and not a scalar.
 */
export function learningRateTensor(op: string, graph: Graph, learningRate: number | Tensor): Tensor {
  if (typeof learningRate !== "object") {
    checkFromZero(op, "learningRate", learningRate);
    return fill(graph, [], learningRate);
  }
  const { name, shape } = learningRate;
  if (shape.length > 0) {
    throw new Error(`${op}: the learning rate must be a scalar; "${name}" is ${shapeText(shape)}.`);
  }
  return learningRate;
}

/** The scalars that an update takes for all parameters, by the kernels' names. */
export function sharedScalars(
  op: string,
  gradientScale: Tensor | undefined,
  others: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  if (!gradientScale) return others;
  const { name, shape } = gradientScale;
  if (shape.length > 0)
    throw new Error(`${op}: the gradients' scale must be a scalar; "${name}" is ${shapeText(shape)}.`);
  return { ...others, gradientScale };
}

/** What an update reads and writes for one parameter: the gradient is read, everything else is changed in place. */
export type UpdatedTensors = Readonly<Record<string, Tensor>> & {
  readonly gradient: Tensor;
  readonly parameter: Tensor;
};

/**
 * The node of an optimizer's step: all parameters, as many a dispatch as the adapter can bind. A parameter that must be cut
 * to be bound has its dispatches for itself, so that no buffer is bound twice to be written.
 *
 * @param tensors of each parameter, by the kernel's names without their numbers.
 * @param shared by all parameters and only read.
 * @param kernel updates `parameters`, of each as many elements as `lengths` says.
 * @throws Error when something that is only read is itself updated.
 */
export function updateTogether(
  name: string,
  tensors: readonly UpdatedTensors[],
  shared: Readonly<Record<string, Tensor>>,
  kernel: (target: KernelTarget, lengths: readonly number[], parameters: readonly Tensor[]) => Kernel,
): Node {
  const updates = tensors.flatMap(({ gradient: _, ...updated }) => Object.values(updated));
  const reads = [...tensors.map(({ gradient }) => gradient), ...Object.values(shared)];
  checkNotUpdated(name, reads, updates);
  const [first] = tensors;
  return first.parameter.graph.apply(
    {
      name,
      family: "optimizer",
      outputs: [],
      updates,
      lower(l) {
        const cut = tensors.map((set) => l.slices(Object.values(set)).map((range) => slicesOf(set, range)));
        const whole = cut.filter((parts) => parts.length === 1).flat();
        const pieces = cut.filter((parts) => parts.length > 1).flat();
        const size = tensorsAtOnce(l.target, Object.keys(first).length, Object.keys(shared).length);
        const groups = [...groupsByLane(size, whole, lengthOfParameter), ...pieces.map((piece) => [piece])];
        for (const group of groups) {
          const parameters = group.map(({ parameter }) => parameter.tensor);
          const update = kernel(l.target, group.map(lengthOfParameter), parameters);
          l.dispatch(update, { ...shared, ...numbered(group) });
        }
      },
    },
    [...reads, ...updates],
  );
}

function checkNotUpdated(op: string, reads: readonly Tensor[], updates: readonly Tensor[]): void {
  const updated = new Set(updates);
  const both = reads.find((tensor) => updated.has(storageOf(tensor)));
  if (both) throw new Error(`${op} cannot read "${both.name}" in the step that updates it.`);
}

/** The same part of each of a parameter's tensors, by the same names. */
type Slices = Readonly<Record<string, BatchSlice>> & { readonly parameter: BatchSlice };

const slicesOf = (tensors: UpdatedTensors, range: BatchRange): Slices =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, batchSlice(tensor, range)]),
  ) as Slices;

const lengthOfParameter = ({ parameter }: Slices): number => lengthOf(parameter);

/** The operands of several parameters under the names `gradient0`, `parameter0`, .., `gradient1`, .. */
const numbered = (group: readonly Slices[]): Record<string, BatchSlice> =>
  Object.fromEntries(
    group.flatMap((slices, i) => Object.entries(slices).map(([name, part]) => [`${name}${i}`, part])),
  );
