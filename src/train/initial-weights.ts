import { printable } from "../files/printable.ts";
import { variableParts } from "../graph/graph.ts";
import { plan } from "../graph/plan.ts";
import { sameShape } from "../graph/shape.ts";
import type { Shape } from "../graph/shape.ts";
import type { Variables } from "../graph/variables.ts";
import type { KernelTarget } from "../kernels/kernel.ts";
import { classNamesOf, namedOtherwise } from "../weights/class-names.ts";
import { loadWeights } from "../weights/load.ts";
import type { LoadedWeights } from "../weights/load.ts";
import type { NamedTensors } from "../weights/tensors.ts";
import { WeightsError } from "../weights/weights-error.ts";
import { networkWeights } from "./network-weights.ts";
import type { NetworkShapes } from "./network-weights.ts";
import { encoderOf, evaluator } from "./phase/programs.ts";
import { evaluatorSpec } from "./phase/validation.ts";
import type { TrainerOptions } from "./trainer-options.ts";

type Beginning = Pick<TrainerOptions, "classes" | "classNames" | "encoder" | "decoder"> &
  Partial<Pick<TrainerOptions, "normalization">>;

/** What a run takes of a file of weights. */
export interface InitialWeights {
  readonly values: NamedTensors;
  /** Why the head starts anew, in a sentence for the user; null where it does not, or the file has none. */
  readonly remark: string | null;
  /** Whether the file is more than an encoder. */
  readonly hasDecoder: boolean;
}

/**
 * Fills the variables of a run that begins from a file of weights: a whole network, or an encoder. The head of a network of
 * other classes is not taken, nor what the file does not have: that keeps its first values.
 *
 * @throws WeightsError that names what does not fit.
 */
export async function loadInitialWeights(
  variables: Variables,
  path: string,
  options: Beginning,
): Promise<void> {
  const { values } = await initialWeights((which) => variables.shapes(which), path, options);
  for (const [name, { data }] of values) variables.write(name, data as Float32Array);
}

/**
 * Finds, without a network, what {@link loadInitialWeights} would take.
 *
 * @throws as it does.
 */
export async function checkInitialWeights(
  path: string,
  options: TrainerOptions,
  target: KernelTarget,
): Promise<InitialWeights> {
  const { variables } = plan(evaluator(evaluatorSpec(options)), target);
  const parts = variables.flatMap((tensor) =>
    variableParts(tensor).map(({ name, shape }) => ({ name, shape, group: tensor.variable!.group })),
  );
  const shapes: NetworkShapes = (which) =>
    new Map(parts.flatMap(({ name, shape, group }) => (which(name, group) ? [[name, shape]] : [])));
  return initialWeights(shapes, path, options);
}

async function initialWeights(
  shapes: NetworkShapes,
  path: string,
  options: Beginning,
): Promise<InitialWeights> {
  const file = await loadWeights(path);
  refuseOtherEncoder(file, path, options);
  refuseOtherDecoder(file, path, options);
  refuseOtherNormalization(file, path, options);
  const difference = otherClasses(file, path, options, shapes(() => true).get("head/kernel")!);
  const values = networkWeights(shapes, file.tensors, path, { head: difference === null });
  const remark = difference && `${difference}: its encoder and decoder are taken, and the head starts anew.`;
  return { values, remark, hasDecoder: file.decoder !== undefined };
}

/** A file that does not say which encoder it has is held against the network's weights, name by name. */
function refuseOtherEncoder({ metadata }: LoadedWeights, path: string, options: Beginning): void {
  const { encoder: theirs } = metadata;
  const { name: ours } = encoderOf(options);
  if (theirs === undefined || theirs === ours) return;
  throw new WeightsError(
    `The weights file ${path} is of a network with --encoder ${printable(theirs, 50)}, and this one has ${ours}: give --encoder ` +
      `${printable(theirs, 50)}, or weights of ${ours}.`,
  );
}

function refuseOtherDecoder(
  { decoder: theirs, otherDecoder }: LoadedWeights,
  path: string,
  { decoder: ours = "transpose" }: Beginning,
): void {
  if (theirs === undefined || theirs === ours || otherDecoder === ours) return;
  throw new WeightsError(
    `The weights file ${path} is of a network with --decoder ${theirs}, and this one has ${ours}: give --decoder ${theirs}.`,
  );
}

/** A decoder that learned from photos prepared otherwise knows nothing of these; of an encoder alone no file says it. */
function refuseOtherNormalization(
  { decoder, metadata }: LoadedWeights,
  path: string,
  { normalization: ours }: Beginning,
): void {
  const { normalization: theirs } = metadata;
  if (decoder === undefined || theirs === undefined || ours === undefined || theirs === ours) return;
  throw new WeightsError(
    `The weights file ${path} is of a network whose photos had --normalization ${printable(theirs, 50)}, and here they have ${ours}: ` +
      `give --normalization ${printable(theirs, 50)}.`,
  );
}

/** In what the classes of a file's head differ from those of the data; null where they do not, or there is no such head. */
function otherClasses(
  { tensors, metadata }: LoadedWeights,
  path: string,
  { classes, classNames = [], decoder = "transpose" }: Beginning,
  kernelHere: Shape,
): string | null {
  const [kernel, bias] = [tensors.get("head/kernel"), tensors.get("head/bias")];
  if (!kernel || bias?.shape.length !== 1) return null;
  const [theirs] = bias.shape;
  if (theirs !== classes) {
    // HWIO or HWOI.
    const axis = decoder === "transpose" ? 2 : 3;
    const isHead = sameShape(kernel.shape, kernelHere.with(axis, theirs));
    return isHead ? `${path} tells ${theirs} classes apart and the data has ${classes}` : null;
  }
  const names = classNamesOf(metadata, classes, path) ?? [];
  const differing = namedOtherwise(names, classNames);
  if (differing.length === 0) return null;
  const [label] = differing;
  const called = (name: string): string => `"${printable(name, 100)}"`;
  const [there, here] = [called(names[label]), called(classNames[label])];
  if (names.every((name) => classNames.includes(name)))
    return `${path} has its classes in another order (class ${label} is ${there} there and ${here} in the data)`;
  const others = differing.length - 1;
  const more = others === 0 ? "" : `, and ${others} more of its ${classes} classes have other names`;
  return `${path} calls class ${label} ${there} and the data calls it ${here}${more}`;
}
