/**
 * @file Holds a Keras model's configuration against the U-Net: which of its layers is which of ours follows from what
 * each does and reads, whatever they are called. It finds what shapes cannot tell: skips joined in another order, other
 * strides or activations, another ε.
 */
import type { Encoder } from "../../layers/networks/encoder.ts";
import type { Layer } from "../../layers/networks/layer.ts";
import { DECODERS } from "../../layers/networks/decoder.ts";
import { skipLayers, unetLayers } from "../../layers/networks/unet.ts";
import {
  configModel,
  ConfigProblem,
  MODEL_INPUT,
  type ConfigLayer,
  type ConfigModel,
} from "./keras-config.ts";
import { readOperation } from "./keras-operation.ts";
import { misfit, oneOutput, preparation, quote } from "./misfit.ts";
import { pairLayers } from "./pair-layers.ts";
import type { Ours, Theirs } from "./pair-layers.ts";
import { preparedConfig, preparedLayers } from "./preparation.ts";
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
  const attempts = networksOf(encoder, rest).map((ours) => pairLayers(ours, theirs));
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

/** What the model may be: a U-Net with any decoder, or an encoder, whole or as far as a decoder needs it. */
function networksOf(encoder: Encoder, theirs: readonly ConfigLayer[]): Ours[] {
  // The number of classes is the head's own affair.
  const has = (kind: string): boolean => theirs.some(({ className }) => className === kind);
  const [transposes, upsamples] = [has("Conv2DTranspose"), has("UpSampling2D")];
  // Of a decoder that cannot be meant, what misfits tells nobody anything.
  const meant = DECODERS.filter((decoder) =>
    transposes === upsamples ? true : (decoder === "transpose") === transposes,
  );
  const unets = meant.map((decoder) => unetLayers({ encoder, classes: 1, decoder }));
  const hasDecoder = transposes || upsamples;
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
