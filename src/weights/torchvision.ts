/**
 * @file torchvision's DenseNets (`densenet121`, `densenet169`, `densenet201`) as safetensors: `features.denseblock1.denselayer2.conv1.weight` and the like, kernels
 * OIHW, dense ones (out, in).
 *
 * The networks are the same as Keras's, but for the ε of its batch norms, 1e-5, which is folded into γ. Its max pool pads
 * with −∞ where Keras pads with zeros; it comes after a ReLU, so no value is below zero and both find the same maximum
 * (every window has at least one real value). All other paddings are zeros on both sides in both.
 */
import { foldEpsilon } from "./match/fold-epsilon.ts";
import { topLayer } from "./match/top.ts";
import type { MatchedWeights, MappedWeight, WeightChange } from "./match/match.ts";
import { denseNet121, denseNet169, denseNet201 } from "../layers/networks/densenet.ts";
import type { Encoder } from "../layers/networks/encoder.ts";
import { unetLayers } from "../layers/networks/unet.ts";
import { elementCount, formatShape, type HostTensor, type NamedTensors } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";

const FIRST = "features.conv0.weight";
const EPSILON = 1e-5;

const ROLES: Record<string, string> = {
  weight: "gamma",
  bias: "beta",
  running_mean: "moving_mean",
  running_var: "moving_variance",
};

/** Where torchvision's names begin, behind whatever wraps the network; undefined where these are none of its weights. */
function prefixOf(tensors: NamedTensors): string | undefined {
  return [...tensors.keys()]
    .find((name) => name === FIRST || name.endsWith(`.${FIRST}`))
    ?.slice(0, -FIRST.length);
}

/** Whether these are weights of PyTorch's, by the statistics of its batch norms. */
export function isTorchvision(tensors: NamedTensors): boolean {
  return prefixOf(tensors) !== undefined || [...tensors.keys()].some((name) => name.endsWith(".running_var"));
}

/** The DenseNets that are known, by how many layers their third dense block has. */
const DENSENETS: ReadonlyMap<number, Encoder> = new Map([
  [24, denseNet121],
  [32, denseNet169],
  [48, denseNet201],
]);

/** @throws {WeightsError} where it is another network of PyTorch's: none of them is the same as Keras's of that name */
function denseNetOf(tensors: NamedTensors, prefix: string | undefined, source: string): Encoder {
  const third = /^features\.denseblock3\.denselayer(\d+)\./;
  const counts = [...tensors.keys()].map((name) =>
    Number(third.exec(name.slice(prefix?.length ?? 0))?.[1] ?? 0),
  );
  const layers = Math.max(0, ...counts);
  const encoder = prefix === undefined ? undefined : DENSENETS.get(layers);
  if (encoder !== undefined) return encoder;
  const what =
    prefix === undefined
      ? "is another network of PyTorch's"
      : `is another DenseNet of PyTorch's (its third dense block has ${layers} layers)`;
  throw new WeightsError(
    `The weights file ${source} ${what}: of torchvision's networks densenet121, densenet169 and densenet201 are taken, ` +
      "which are the same as Keras's; of any other give the file that Keras has.",
  );
}

/**
 * The encoder, and the classifier as the weights of its top, under our names and in our layouts.
 *
 * @param source what the file is called in messages
 * @throws {WeightsError} naming the first weight that is missing, of another shape or none of numbers
 */
export function matchTorchvision(tensors: NamedTensors, source: string): MatchedWeights {
  const found = prefixOf(tensors);
  const encoder = denseNetOf(tensors, found, source);
  const prefix = found ?? "";
  const top = topLayer(encoder).name;
  const theirs = new Map<string, string>();
  for (const from of tensors.keys()) {
    const to = from.startsWith(prefix) ? ourName(from.slice(prefix.length), top) : undefined;
    if (to === undefined) continue;
    if (theirs.has(to)) throw refusal(source, encoder, [`it holds both "${theirs.get(to)}" and "${from}"`]);
    theirs.set(to, from);
  }
  const taken: NamedTensors = new Map();
  const mapping: MappedWeight[] = [];
  const problems: string[] = [];
  const take = (to: string, shape: readonly number[]): void => {
    const from = theirs.get(to);
    if (from === undefined) {
      problems.push(`it has no weight "${theirName(prefix, to, top)}"`);
      return;
    }
    const [tensor, change] = inOurLayout(tensors.get(from)!);
    if (formatShape(tensor.shape) === formatShape(shape) && tensor.data instanceof Float32Array) {
      taken.set(to, tensor);
      mapping.push({ from, to, shape, change });
      return;
    }
    const found = formatShape(tensors.get(from)!.shape);
    const type = tensor.data instanceof Float32Array ? "" : " of integers";
    problems.push(
      `its "${from}" has shape ${found}${type}, and "${to}" has ${formatShape(shape)} in our order`,
    );
  };
  const layers = encoder.layers();
  for (const { weights } of layers) for (const { name, shape } of weights) take(name, shape);
  const classifier = theirs.get(`${top}/bias`);
  const classes = classifier === undefined ? undefined : elementCount(tensors.get(classifier)!.shape);
  if (classes !== undefined) {
    for (const { name, shape } of topLayer(encoder, classes).weights) take(name, shape);
  }
  if (problems.length > 0) throw refusal(source, encoder, problems);
  for (const { name, operation } of layers) {
    if (operation.kind !== "BatchNormalization") continue;
    const folded = foldEpsilon(taken.get(`${name}/gamma`)!, taken.get(`${name}/moving_variance`)!, {
      ours: operation.epsilon,
      theirs: EPSILON,
    });
    taken.set(`${name}/gamma`, folded);
  }
  const used = new Set(mapping.map(({ from }) => from));
  return {
    tensors: taken,
    mapping: mapping.map((weight) =>
      weight.to.endsWith("/gamma") ? { ...weight, change: "folded" as const } : weight,
    ),
    missing: decoderWeights(encoder),
    unused: [...tensors.keys()].filter((name) => !used.has(name)),
    encoder,
  };
}

function decoderWeights(encoder: Encoder): string[] {
  const decoder = unetLayers({ encoder, classes: 1, decoder: "transpose" }).filter(
    ({ part }) => part !== "encoder",
  );
  return decoder.flatMap(({ weights }) => weights.map(({ name }) => name));
}

/** `features.denseblock1.denselayer2.conv1.weight` → `conv2_block2_1_conv/kernel`; undefined for what is not needed. */
function ourName(name: string, top: string): string | undefined {
  const [, module, role] = /^(.+)\.(weight|bias|running_mean|running_var)$/.exec(name) ?? [];
  if (module === undefined) return undefined;
  if (module === "classifier")
    return role === "weight" || role === "bias" ? `${top}/${DENSE[role]}` : undefined;
  const layer = ourLayer(module);
  if (layer === undefined) return undefined;
  if (!/conv$/.test(layer)) return `${layer}/${ROLES[role]}`;
  return role === "weight" ? `${layer}/kernel` : undefined;
}

const DENSE = { weight: "kernel", bias: "bias" };

function ourLayer(module: string): string | undefined {
  const fixed = { "features.conv0": "conv1/conv", "features.norm0": "conv1/bn", "features.norm5": "bn" };
  if (Object.hasOwn(fixed, module)) return fixed[module as keyof typeof fixed];
  // Files of before 2018 have a dot before the number.
  const dense = /^features\.denseblock([1-4])\.denselayer(\d+)\.(norm|conv)\.?([12])$/.exec(module);
  if (dense !== null) {
    const [, block, layer, kind, number] = dense;
    const own = kind === "conv" ? `${number}_conv` : `${Number(number) - 1}_bn`;
    return `conv${Number(block) + 1}_block${layer}_${own}`;
  }
  const transition = /^features\.transition([1-3])\.(norm|conv)$/.exec(module);
  if (transition === null) return undefined;
  return `pool${Number(transition[1]) + 1}_${transition[2] === "conv" ? "conv" : "bn"}`;
}

/** {@link ourName} the other way, for messages. */
function theirName(prefix: string, ours: string, top: string): string {
  const [layer, role] = [ours.slice(0, ours.lastIndexOf("/")), ours.slice(ours.lastIndexOf("/") + 1)];
  const theirRole =
    Object.keys(ROLES).find((key) => ROLES[key] === role) ?? (role === "kernel" ? "weight" : role);
  return `${prefix}${layer === top ? "classifier" : theirModule(layer)}.${theirRole}`;
}

function theirModule(layer: string): string {
  const fixed: Record<string, string> = {
    "conv1/conv": "features.conv0",
    "conv1/bn": "features.norm0",
    bn: "features.norm5",
  };
  if (Object.hasOwn(fixed, layer)) return fixed[layer];
  const transition = /^pool(\d)_(conv|bn)$/.exec(layer);
  if (transition !== null) {
    return `features.transition${Number(transition[1]) - 1}.${transition[2] === "conv" ? "conv" : "norm"}`;
  }
  const [, block, number, own, kind] = /^conv(\d)_block(\d+)_(\d)_(conv|bn)$/.exec(layer)!;
  const module = kind === "conv" ? `conv${own}` : `norm${Number(own) + 1}`;
  return `features.denseblock${Number(block) - 1}.denselayer${number}.${module}`;
}

/** Kernels OIHW → HWIO, dense ones (out, in) → (in, out). */
function inOurLayout(tensor: HostTensor): [HostTensor, WeightChange] {
  const { shape } = tensor;
  if (shape.length === 4) return [transposed(tensor, [2, 3, 1, 0]), "transposed"];
  if (shape.length === 2) return [transposed(tensor, [1, 0]), "transposed"];
  return [tensor, "renamed"];
}

/** @param axes of `tensor`, in the order in which the result has them */
function transposed({ shape, data }: HostTensor, axes: readonly number[]): HostTensor {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1),
  );
  const extents = axes.map((axis) => shape[axis]);
  const steps = axes.map((axis) => strides[axis]);
  const result = data.slice();
  const index = axes.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from];
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < extents[axis]) break;
      from -= steps[axis] * extents[axis];
      index[axis] = 0;
    }
  }
  return { shape: extents, data: result };
}

function refusal(source: string, { name }: Encoder, problems: readonly string[]): WeightsError {
  const others = problems.length - 1;
  const more =
    others === 0 ? "" : `, and ${others} more of its weights ${others === 1 ? "does" : "do"} not fit`;
  return new WeightsError(
    `The weights file ${source} is not torchvision's ${name}: ${problems[0]}${more}; save the state_dict of that network.`,
  );
}
