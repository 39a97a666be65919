/**
 * @file Finds the network of this project in weights that another program has written, under whatever names: which weight
 * is which of ours, by topology and shape.
 */
import type { Encoder } from "../../layers/networks/encoder.ts";
import { ENCODERS } from "../../layers/networks/encoders.ts";
import type { Layer, WeightRole } from "../../layers/networks/layer.ts";
import { skipLayers, unetLayers } from "../../layers/networks/unet.ts";
import { DECODERS_BY_WEIGHTS } from "../../layers/networks/decoder.ts";
import type { Decoder } from "../../layers/networks/decoder.ts";
import type { HostTensor, NamedTensors } from "../tensors.ts";
import { matchDecoder } from "./decoder.ts";
import { AUTOMATIC, LIKELY_SHARE, likeliestEncoder, matchEncoder, weighted } from "./encoder.ts";
import { foldEpsilon } from "./fold-epsilon.ts";
import { readOperation } from "./keras-operation.ts";
import { layerProblem, misfit, type LayerPairs } from "./misfit.ts";
import { checkLearntPreparation, checkPrepared } from "./preparation.ts";
import {
  sourceLayers,
  sourceRole,
  type NamedShape,
  type SourceLayer,
  type SourceLayers,
} from "./source-layers.ts";
import { mayBeTop, topByShape, topLayer } from "./top.ts";
import { matchTopology, type TopologyMatch } from "./topology.ts";
import { whichDecoder, type FoundDecoder } from "./which-decoder.ts";

/** What was done to a weight on its way in. */
export type WeightChange = "kept" | "renamed" | "transposed" | "folded";

/** A weight of a file and what it is here. */
export interface MappedWeight {
  /** In the file. */
  readonly from: string;
  /** Here. */
  readonly to: string;
  /** Here. */
  readonly shape: readonly number[];
  /** What was done to it. */
  readonly change: WeightChange;
}

export interface MatchedWeights extends FoundDecoder {
  /** By our names. Of a file that has our names already, everything that is in it. */
  readonly tensors: NamedTensors;
  /** What of the file became what. */
  readonly mapping: readonly MappedWeight[];
  /** The names of the weights of ours that the file does not have: the decoder's, of an encoder. */
  readonly missing: readonly string[];
  /** The names of the file's weights that are none of ours. */
  readonly unused: readonly string[];
  /** Whose weights they are, alone or in a U-Net; undefined where the file holds nothing of any encoder. */
  readonly encoder?: Encoder;
}

/**
 * Brings the weights of a file under our names.
 *
 * A file that has our names already, or that holds nothing like our networks, is left as it is: who wants
 * particular weights of it says so himself.
 *
 * @param tensors under the names of the file, in its order
 * @param options.source what the file is called in messages
 * @param options.config the configuration of a Keras model, where the file has one; parsed, otherwise unchecked
 * @param options.encoder which encoder the file says that it holds; it is found out where the file does not say it
 * @param options.decoder which decoder the file says that it holds
 * @throws {WeightsError} where the network is like ours and does not fit, naming the first layer that differs
 */
export function matchWeights(
  tensors: NamedTensors,
  options: {
    source: string;
    config?: unknown;
    encoder?: Encoder | undefined;
    decoder?: string | undefined;
  },
): MatchedWeights {
  const { source, config, encoder: said } = options;
  const shapes = [...tensors].map(([name, { shape }]): NamedShape => ({ name, shape }));
  const found = sourceLayers(shapes);
  const likely = likeliestEncoder(found.layers);
  const own = ownEncoder(found, said === undefined ? [likely.encoder, ...ENCODERS] : [said]);
  if (own !== undefined) {
    checkLearntPreparation(found.others, { encoder: own, tensors, source });
    return asItIs(tensors, own, options);
  }
  const encoder = said ?? likely.encoder;
  const about = { encoder, tensors, source };
  const topology = config === undefined ? undefined : matchTopology(config, about);
  if (topology !== undefined) checkPrepared(topology.preparation, about);
  else if (likely.share < LIKELY_SHARE) return asItIs(tensors, undefined, options);
  else checkLearntPreparation(found.others, about);
  const network =
    (topology && byTopology(topology, found.layers, about)) ?? byShape(found.layers, encoder, source);
  return { ...taken(tensors, { ...network, encoder, topology }), ...whichDecoder(network.decoder, options) };
}

/** Every layer with weights that there may be with an encoder: its own, its top, and those of all decoders. */
function layersWith(encoder: Encoder, classes = 1): Map<string, Layer> {
  const decoders = DECODERS_BY_WEIGHTS.flatMap((decoder) => unetLayers({ encoder, classes, decoder }));
  const all = weighted([...encoder.layers(), ...encoder.top(classes), ...decoders]);
  return new Map(all.map((layer) => [layer.name, layer]));
}

/**
 * The first of the encoders by whose names, and ours of a decoder, all weights of the file go. Names that Keras gives itself
 * are any model's, and count only where the shapes are right too.
 */
function ownEncoder({ layers }: SourceLayers, encoders: readonly Encoder[]): Encoder | undefined {
  if (layers.length === 0) return undefined;
  return encoders.find((encoder) => {
    const ours = layersWith(encoder);
    return layers.every((theirs) => {
      const layer = ours.get(theirs.path);
      if (layer === undefined) return false;
      const names = new Set(layer.weights.map(({ name }) => name));
      const isNamed = [...theirs.weights.values()].every(({ name }) => names.has(name));
      return isNamed && (!AUTOMATIC.test(layer.name) || layerProblem(layer, theirs) === undefined);
    });
  });
}

function asItIs(
  tensors: NamedTensors,
  encoder: Encoder | undefined,
  about: { decoder?: string | undefined; config?: unknown },
): MatchedWeights {
  const names = new Set(
    encoder && [...layersWith(encoder).values()].flatMap(({ weights }) => weights.map(({ name }) => name)),
  );
  const ours = [...tensors].filter(([name]) => names.has(name));
  const decoder = decoderOf(tensors);
  return {
    tensors,
    mapping: ours.map(([name, { shape }]) => ({ from: name, to: name, shape, change: "kept" })),
    missing: encoder === undefined ? [] : missingOf(new Set(tensors.keys()), encoder, decoder),
    unused: [...tensors.keys()].filter((name) => !names.has(name)),
    ...(encoder === undefined ? {} : { encoder }),
    ...whichDecoder(decoder, about),
  };
}

/** By its weights: `nearest` for every other that has the same. */
function decoderOf(tensors: NamedTensors): Decoder | undefined {
  if (tensors.has("upsample_1/conv2d/kernel")) return "nearest";
  return tensors.has("upsample_1/conv2d_transpose/kernel") ? "transpose" : undefined;
}

function missingOf(have: ReadonlySet<string>, encoder: Encoder, decoder: Decoder = "transpose"): string[] {
  const names = unetLayers({ encoder, classes: 1, decoder }).flatMap(({ weights }) =>
    weights.map(({ name }) => name),
  );
  return names.filter((name) => !have.has(name));
}

/** The network that was found: its layers that carry weights, and those of the file. */
interface Found {
  readonly layers: readonly Layer[];
  readonly pairs: LayerPairs;
  /** By its weights. */
  readonly decoder: Decoder | undefined;
}

/** The encoder by name or order, the decoder or the encoder's top by the shapes that are left. */
function byShape(layers: readonly SourceLayer[], encoder: Encoder, source: string): Found {
  const pairs = matchEncoder(layers, encoder, source);
  const taken = new Set(pairs.values());
  const rest = layers.filter((layer) => !taken.has(layer));
  const top = topByShape(rest, encoder);
  if (top !== undefined) return encoderFound(encoder, pairs, top);
  const others = rest.filter(({ kind }) => kind !== "dense");
  const found = matchDecoder(others, encoder, source);
  if (found === undefined) return encoderFound(encoder, pairs, undefined);
  const { decoder, classes } = found;
  const all = weighted(unetLayers({ encoder, classes, decoder }));
  return { layers: all, pairs: new Map([...pairs, ...found.pairs]), decoder };
}

/** An encoder without a decoder; of its layers those that the file has. */
function encoderFound(encoder: Encoder, pairs: LayerPairs, top: SourceLayer | undefined): Found {
  const own = topLayer(encoder, top?.weights.get("bias")!.shape[0]);
  if (top !== undefined) pairs.set(own.name, top);
  return { layers: [...weighted(encoder.layers()), own], pairs, decoder: undefined };
}

/**
 * As the configuration has it; undefined where the file calls its layers otherwise than its configuration does, as old
 * versions of Keras may.
 */
function byTopology(
  { pairs: inConfig }: TopologyMatch,
  layers: readonly SourceLayer[],
  { encoder, source }: { encoder: Encoder; source: string },
): Found | undefined {
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  const isCounted = layers.some(({ weights }) =>
    [...weights.values()].some(({ name }) => /\/vars\/\d$/.test(name)),
  );
  const theirs = (name: string): SourceLayer | undefined => {
    const layer = inConfig.get(name);
    if (layer === undefined) return undefined;
    // A layer that Keras has named itself may be called as another one is counted.
    const paths = isCounted ? [layer.countedPath, layer.path] : [layer.path, layer.countedPath];
    return byPath.get(paths[0]) ?? byPath.get(paths[1]);
  };
  const decoder = inConfig.has("upsample_1/conv2d")
    ? "nearest"
    : inConfig.has("upsample_1/conv2d_transpose")
      ? "transpose"
      : undefined;
  const classes = theirs("head")?.weights.get("bias")?.shape[0] ?? 1;
  const ours =
    decoder === undefined
      ? [encoder.layers(), skipLayers(encoder)]
          .map(weighted)
          .find((all) => all.every(({ name }) => inConfig.has(name)))!
      : weighted(unetLayers({ encoder, classes, decoder }));
  const pairs: LayerPairs = new Map();
  for (const { name } of ours) {
    const layer = theirs(name);
    if (layer === undefined) return undefined;
    pairs.set(name, layer);
  }
  const problems = ours.flatMap((layer) => layerProblem(layer, pairs.get(layer.name)!) ?? []);
  if (problems.length > 0) throw misfit(source, problems, encoder);
  if (decoder !== undefined) return { layers: ours, pairs, decoder };
  const top = theirs(topLayer(encoder).name);
  return encoderFound(encoder, pairs, top && mayBeTop(top, encoder) ? top : undefined);
}

/** The tensors that were found, each for what it is here. */
function taken(
  all: NamedTensors,
  {
    layers,
    pairs,
    decoder,
    encoder,
    topology,
  }: Found & { encoder: Encoder; topology: TopologyMatch | undefined },
): MatchedWeights {
  const tensors: NamedTensors = new Map();
  const mapping: MappedWeight[] = [];
  const used = new Set<string>();
  const take = (from: string, to: string, folded?: HostTensor): void => {
    const tensor = folded ?? all.get(from)!;
    tensors.set(to, tensor);
    const change = folded !== undefined ? "folded" : from === to ? "kept" : "renamed";
    mapping.push({ from, to, shape: tensor.shape, change });
    used.add(from);
  };
  for (const layer of layers) {
    const theirs = pairs.get(layer.name);
    if (theirs === undefined) continue;
    const epsilons = epsilonsOf(layer, topology);
    const nameOf = (role: WeightRole): string => theirs.weights.get(sourceRole(layer, role))!.name;
    for (const { role, name: to } of layer.weights) {
      const folds = role === "gamma" && epsilons !== undefined;
      const folded = folds
        ? foldEpsilon(all.get(nameOf(role))!, all.get(nameOf("moving_variance"))!, epsilons)
        : undefined;
      take(nameOf(role), to, folded);
    }
  }
  return {
    tensors,
    mapping,
    missing: missingOf(new Set(tensors.keys()), encoder, decoder),
    unused: [...all.keys()].filter((name) => !used.has(name)),
    encoder,
  };
}

/** Ours and theirs, where they differ. */
function epsilonsOf(
  { name, operation }: Layer,
  topology: TopologyMatch | undefined,
): { ours: number; theirs: number } | undefined {
  const config = topology?.pairs.get(name);
  const theirs = config && readOperation(config)?.operation;
  if (operation.kind !== "BatchNormalization" || theirs?.kind !== "BatchNormalization") return undefined;
  return operation.epsilon === theirs.epsilon
    ? undefined
    : { ours: operation.epsilon, theirs: theirs.epsilon };
}
