/**
 * @file Holds a Keras model's configuration against the U-Net: which of its layers is which of ours follows from what
 * each does and reads, whatever they are called. It finds what shapes cannot tell: skips joined in another order, other
 * strides or activations, another ε.
 */
import type { Encoder } from "../../layers/networks/encoder.ts";
import { INPUT } from "../../layers/networks/layer.ts";
import type { Edges, Layer, LayerOperation } from "../../layers/networks/layer.ts";
import { skipLayers, unetLayers } from "../../layers/networks/unet.ts";
import {
  configModel,
  ConfigProblem,
  MODEL_INPUT,
  type ConfigLayer,
  type ConfigModel,
} from "./keras-config.ts";
import { readOperation, type ReadOperation } from "./keras-operation.ts";
import { misfit, oneOutput, preparation, quote } from "./misfit.ts";
import { preparedConfig, preparedLayers } from "./preparation.ts";
import { agreement, signatures, type Node, type Signatures } from "./signatures.ts";
import { topInConfig, topLayer } from "./top.ts";

/** A model that is ours, or its encoder, perhaps with its top. */
export interface TopologyMatch {
  /** Our layer's name → theirs. */
  readonly pairs: ReadonlyMap<string, ConfigLayer>;
  /** The layers that prepare the photos, where the encoder has such layers. */
  readonly preparation: readonly ConfigLayer[];
}

/**
 * Finds our layers in a model.
 *
 * @param config of the model, parsed and otherwise unchecked
 * @param options.encoder which encoder it is held against
 * @param options.source what the file is called in messages
 * @returns undefined where the configuration does not tell the layers
 * @throws {WeightsError} naming the first of our layers that is not in the model
 */
export function matchTopology(
  config: unknown,
  { encoder, source }: { encoder: Encoder; source: string },
): TopologyMatch | undefined {
  let model: ConfigModel | undefined;
  try {
    model = configModel(config);
  } catch (error) {
    if (error instanceof ConfigProblem) throw misfit(source, [error.message], encoder);
    throw error;
  }
  if (model === undefined) return undefined;
  const { steps, rest } =
    encoder.preprocessing === "inside" ? preparedConfig(model.layers) : { steps: [], rest: model.layers };
  checkPreparation(rest, source);
  const theirs = rest.map((layer): Theirs => ({ layer, read: readOperation(layer) }));
  const attempts = networksOf(encoder, rest).map((ours) => attempt(ours, theirs));
  const best = attempts.reduce((a, b) => (b.problems.length < a.problems.length ? b : a));
  if (best.problems.length > 0) throw misfit(source, best.problems, encoder);
  const { pairs } = best;
  const head = pairs.get("head");
  if (head !== undefined) checkOutput(model, head, { encoder, source });
  const top = topInConfig(rest, endsOf(encoder, pairs, rest));
  if (top !== undefined) pairs.set(topLayer(encoder).name, top);
  return { pairs, preparation: steps };
}

/** Layers that prepare photos, wherever they are. */
const PREPARATION = new Set(["Rescaling", "Normalization", "Resizing", "CenterCrop", "RandomCrop"]);
/** Arithmetic, which prepares photos where it is the first to read them. */
const ARITHMETIC =
  /^(Lambda|TFOpLambda|SlicingOpLambda|TensorFlowOpLayer|(True|Floor)?Divide|Subtract|Add|Multiply|GetItem|Cast)$/;

/** @throws {WeightsError} naming a layer that prepares the photos */
function checkPreparation(layers: readonly ConfigLayer[], source: string): void {
  const found = layers.find(
    ({ className, inputs }) =>
      PREPARATION.has(className) || (ARITHMETIC.test(className) && inputs.includes(MODEL_INPUT)),
  );
  if (found !== undefined) throw preparation(source, found.path, found.className);
}

/** @throws {WeightsError} where the U-Net's logits, or the probabilities made of them, are not all that the model gives */
function checkOutput(
  { layers, outputs }: ConfigModel,
  head: ConfigLayer,
  { encoder, source }: { encoder: Encoder; source: string },
): void {
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  const isSoftmax = ({ className, config }: ConfigLayer): boolean =>
    className === "Softmax" || (className === "Activation" && config.activation === "softmax");
  if (head.config.filters === 1) throw oneOutput(source);
  if (outputs.length !== 1)
    throw misfit(source, [`it has ${outputs.length} outputs where the U-Net has one`], encoder);
  const last = byPath.get(outputs[0]);
  if (last === head || (last && isSoftmax(last) && last.inputs[0] === head.path)) return;
  const what = last === undefined ? "none of its layers" : `its layer ${quote(last.path)}`;
  throw misfit(
    source,
    [`its output is made by ${what} where the U-Net ends with ${quote(head.path)}`],
    encoder,
  );
}

/** A network of ours: all of its layers, and those that a model must have. */
interface Ours {
  readonly all: readonly Layer[];
  readonly wanted: readonly Layer[];
}

/** What the model may be: a U-Net with either decoder, or an encoder, whole or as far as a decoder needs it. */
function networksOf(encoder: Encoder, theirs: readonly ConfigLayer[]): Ours[] {
  // The number of classes is the head's own affair.
  const unets = (["transpose", "nearest"] as const).map((decoder) =>
    unetLayers({ encoder, classes: 1, decoder }),
  );
  const hasDecoder = theirs.some(({ className }) => /^(Conv2DTranspose|UpSampling2D)$/.test(className));
  // What comes after the last weight is not needed of an encoder: many exports end with the batch norm.
  const encoders = [encoder.layers(), skipLayers(encoder)];
  const lastWeight = (layers: readonly Layer[]): string =>
    layers.findLast(({ weights }) => weights.length > 0)!.name;
  return [...unets, ...(hasDecoder ? [] : encoders)].map((layers, i) => {
    const all = withoutIdentities(preparedLayers(layers).rest);
    const end = i < unets.length ? all.length : all.findIndex(({ name }) => name === lastWeight(layers)) + 1;
    return { all, wanted: all.slice(0, end) };
  });
}

/** Where an encoder may end in a model: its last layer, or the one before it where that is an activation. */
function endsOf(
  encoder: Encoder,
  pairs: ReadonlyMap<string, ConfigLayer>,
  theirs: readonly ConfigLayer[],
): (string | undefined)[] {
  const last = encoder.layers().at(-1)!;
  if (last.operation.kind !== "Activation") return [pairs.get(last.name)?.path];
  const before = pairs.get(last.inputs[0])?.path;
  const after = theirs.filter(
    (layer) => layer.inputs[0] === before && readOperation(layer)?.operation.kind === "Activation",
  );
  return [before, ...after.map(({ path }) => path)];
}

/** The layers that do something when a network is used; who reads another reads what that one reads. */
function withoutIdentities(layers: readonly Layer[]): Layer[] {
  const stands = new Map<string, string>();
  const found: Layer[] = [];
  for (const layer of layers) {
    const inputs = layer.inputs.map((input) => stands.get(input) ?? input);
    const { operation } = layer;
    const isIdentity =
      operation.kind === "Dropout" || (operation.kind === "Activation" && operation.activation === "linear");
    if (isIdentity) stands.set(layer.name, inputs[0]);
    else found.push({ ...layer, inputs });
  }
  return found;
}

interface Theirs {
  readonly layer: ConfigLayer;
  /** Undefined for what none of our layers does. */
  readonly read: ReadOperation | undefined;
}

/** Layers by what they do and read. */
type Index = ReadonlyMap<string, readonly Theirs[]>;

const key = (kind: string, inputs: readonly string[]): string => JSON.stringify([kind, ...inputs]);

function indexed(theirs: readonly Theirs[]): Index {
  const index = new Map<string, Theirs[]>();
  for (const each of theirs) {
    const at = key(each.read?.operation.kind ?? each.layer.className, each.layer.inputs);
    const same = index.get(at);
    if (same === undefined) index.set(at, [each]);
    else same.push(each);
  }
  return index;
}

interface Attempt {
  readonly pairs: Map<string, ConfigLayer>;
  readonly problems: string[];
}

function attempt({ all, wanted }: Ours, theirs: readonly Theirs[]): Attempt {
  const index = indexed(theirs);
  const following = signatures(
    all.map(({ name, operation, inputs }): Node => ({ id: name, operation, inputs })),
    theirs.map(({ layer, read }): Node => ({
      id: layer.path,
      operation: read?.operation,
      inputs: layer.inputs,
    })),
  );
  const pairs = new Map<string, ConfigLayer>();
  /** Where the result of a layer of ours is in the model. */
  const places = new Map<string, string>([[INPUT, MODEL_INPUT]]);
  const taken = new Set<ConfigLayer>();
  const problems: string[] = [];
  for (const layer of wanted) {
    const inputs = layer.inputs.map((input) => places.get(input));
    const known = inputs.every((input) => input !== undefined);
    const candidates = known
      ? candidatesFor(layer, inputs, index).filter((each) => !taken.has(each.layer))
      : [];
    const fitting = candidates.filter(({ read }) => difference(layer, read) === undefined);
    const likeliest = likeliestOf(layer, fitting, following);
    if (likeliest.length === 1) {
      const { layer: found } = likeliest[0];
      pairs.set(layer.name, found);
      places.set(layer.name, found.path);
      taken.add(found);
    } else if (layer.operation.kind === "CenterCropOrPad" && known && candidates.length === 0) {
      // For photos of the model's size there was nothing to crop or pad.
      places.set(layer.name, inputs[0]);
    } else problems.push(problem(layer, candidates, likeliest));
  }
  return { pairs, problems };
}

function candidatesFor(
  { operation }: Layer,
  inputs: readonly (string | undefined)[],
  index: Index,
): readonly Theirs[] {
  const kinds = operation.kind === "CenterCropOrPad" ? ["Cropping2D", "ZeroPadding2D"] : [operation.kind];
  return kinds.flatMap((kind) => index.get(key(kind, inputs as string[])) ?? []);
}

/** Of layers that do the same with the same input, those whose results go the same way as ours the farthest. */
function likeliestOf(
  ours: Layer,
  fitting: readonly Theirs[],
  [here, there]: readonly Signatures[],
): readonly Theirs[] {
  if (fitting.length < 2) return fitting;
  const agreements = fitting.map(({ layer }) => agreement(here.get(ours.name)!, there.get(layer.path)!));
  const farthest = Math.max(...agreements);
  return fitting.filter((_, i) => agreements[i] === farthest);
}

function problem(ours: Layer, candidates: readonly Theirs[], fitting: readonly Theirs[]): string {
  if (fitting.length > 1) {
    const names = fitting.map(({ layer }) => quote(layer.path)).join(" and ");
    return `its layers ${names} do the same with the same input`;
  }
  if (candidates.length > 0) {
    const [{ layer, read }] = candidates;
    return `its layer ${quote(layer.path)} has another ${difference(ours, read)} than "${ours.name}"`;
  }
  const reads = ours.inputs.map((input) => `"${input}"`).join(" and ");
  return `it has no ${ours.operation.kind} in the place of "${ours.name}", which reads ${reads}`;
}

/** The setting in which a layer differs from ours, by Keras's name, or undefined where it does the same. */
function difference(layer: Layer, read: ReadOperation | undefined): string | undefined {
  const ours = layer.operation;
  if (read === undefined) return "class";
  const { operation: theirs, odd } = read;
  if (odd !== undefined) return odd;
  switch (ours.kind) {
    case "CenterCropOrPad":
      return isCentred(theirs) ? undefined : theirs.kind === "Cropping2D" ? "cropping" : "padding";
    case "ZeroPadding2D":
      return theirs.kind === ours.kind && isSamePadding(ours.padding, theirs.padding) ? undefined : "padding";
    default: {
      const [mine, other] = [compared(ours, layer), compared(theirs, layer)];
      const setting = Object.keys(mine).find(
        (name) => JSON.stringify(mine[name]) !== JSON.stringify(other[name]),
      );
      return setting && kerasName(setting);
    }
  }
}

/** The settings of an operation that must be equal. */
function compared(operation: LayerOperation, { part }: Layer): Record<string, unknown> {
  const settings: Record<string, unknown> = { ...operation };
  // Where there is a gamma, another ε is made good by it; how fast the statistics move matters to training alone.
  if (operation.kind === "BatchNormalization") {
    delete settings.momentum;
    if (operation.scale) delete settings.epsilon;
  }
  if (part === "head") delete settings.filters;
  // A kernel of one pixel has nothing to pad for.
  if ("kernelSize" in operation && operation.kernelSize.every((extent) => extent === 1))
    delete settings.padding;
  return settings;
}

const NAMES: Readonly<Record<string, string>> = { target: "target_shape" };

/** `kernelSize` → `kernel_size`. */
const kerasName = (setting: string): string =>
  NAMES[setting] ?? setting.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const EDGES = ["top", "bottom", "left", "right"] as const;

/** Of a padding that depends on the photos' size, whatever it is for some size. */
function isSamePadding(
  ours: Edges | { readonly halving: number },
  theirs: Edges | { readonly halving: number },
): boolean {
  if ("halving" in theirs) return false;
  if (!("halving" in ours)) return EDGES.every((edge) => ours[edge] === theirs[edge]);
  const end = Math.floor(ours.halving / 2);
  const begins = (edge: number): boolean => edge === end || edge === end - 1;
  return theirs.bottom === end && theirs.right === end && begins(theirs.top) && begins(theirs.left);
}

/** Whether as much is added or taken on both sides, what is odd at the end. */
function isCentred(operation: LayerOperation): boolean {
  const edges =
    operation.kind === "Cropping2D"
      ? operation.cropping
      : operation.kind === "ZeroPadding2D" && !("halving" in operation.padding)
        ? operation.padding
        : undefined;
  if (edges === undefined) return false;
  const isEven = (begin: number, end: number): boolean => end === begin || end === begin + 1;
  return isEven(edges.top, edges.bottom) && isEven(edges.left, edges.right);
}
