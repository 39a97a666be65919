/**
 * @file Finds the network of this project in weights that another program has written, under whatever names: which weight
 * is which of ours, by topology and shape.
 */
import { DEFAULT_ENCODER } from "../../layers/networks/encoders.ts";
import type { Layer, WeightRole } from "../../layers/networks/layer.ts";
import { unetLayers } from "../../layers/networks/unet.ts";
import type { HostTensor, NamedTensors } from "../tensors.ts";
import { matchDecoder, type DecoderKind } from "./decoder.ts";
import { matchEncoder, mayHoldEncoder } from "./encoder.ts";
import { foldEpsilon } from "./fold-epsilon.ts";
import type { LayerPairs } from "./misfit.ts";
import { layerProblem, misfit, preparation } from "./misfit.ts";
import { sourceLayers, type NamedShape, type SourceLayer, type SourceLayers } from "./source-layers.ts";
import { mayBeTop, TOP, topByShape } from "./top.ts";
import { matchTopology, type TopologyMatch } from "./topology.ts";

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
  readonly change: WeightChange;
}

export interface MatchedWeights {
  /** By our names. Of a file that has our names already, everything that is in it. */
  readonly tensors: NamedTensors;
  readonly mapping: readonly MappedWeight[];
  /** The names of the weights of ours that the file does not have: the decoder's, of an encoder. */
  readonly missing: readonly string[];
  /** The names of the file's weights that are none of ours. */
  readonly unused: readonly string[];
  /** How the decoder doubles the size; undefined where there is none. */
  readonly decoder?: DecoderKind;
}

/**
 * Brings the weights of a file under our names.
 *
 * A file that has our names already, or that holds nothing like our network, is left as it is: who wants
 * particular weights of it says so himself.
 *
 * @param tensors under the names of the file, in its order
 * @param options.source what the file is called in messages
 * @param options.config the configuration of a Keras model, where the file has one; parsed, otherwise unchecked
 * @throws {WeightsError} where the network is like ours and does not fit, naming the first layer that differs
 */
export function matchWeights(
  tensors: NamedTensors,
  { source, config }: { source: string; config?: unknown },
): MatchedWeights {
  const shapes = [...tensors].map(([name, { shape }]): NamedShape => ({ name, shape }));
  const found = sourceLayers(shapes);
  checkUnprepared(found, source);
  if (isOurs(found)) return asItIs(tensors);
  const topology = config === undefined ? undefined : matchTopology(config, source);
  if (topology === undefined && !mayHoldEncoder(found.layers)) return asItIs(tensors);
  const { pairs, decoder } =
    (topology && byTopology(topology, found.layers, source)) ?? byShape(found.layers, source);
  return taken(tensors, { pairs, decoder, topology });
}

/** The layers that carry weights, of a whole network with either decoder. */
const weighted = (decoder: DecoderKind, classes = 1): Layer[] =>
  unetLayers({ classes, decoder }).filter(({ weights }) => weights.length > 0);

const OUR_LAYERS = new Set(
  [...weighted("transpose"), ...weighted("nearest")].map(({ name }) => name).concat(TOP),
);
const OUR_WEIGHTS = new Set([
  ...[...weighted("transpose"), ...weighted("nearest")].flatMap(({ weights }) =>
    weights.map(({ name }) => name),
  ),
  `${TOP}/kernel`,
  `${TOP}/bias`,
]);

function isOurs({ layers }: SourceLayers): boolean {
  return layers.length > 0 && layers.every(({ path }) => OUR_LAYERS.has(path));
}

/** Without a configuration, a layer that prepares photos is told by the mean and variance it has learnt. */
function checkUnprepared({ others }: SourceLayers, source: string): void {
  const found = others.find(({ name }) => /(^|\/)normalization(_\d+)?\/(mean|vars\/0)$/.test(name));
  if (found !== undefined)
    throw preparation(source, found.name.replace(/\/(mean|vars\/0)$/, ""), "Normalization");
}

function asItIs(tensors: NamedTensors): MatchedWeights {
  const ours = [...tensors].filter(([name]) => OUR_WEIGHTS.has(name));
  const decoder = decoderOf(tensors);
  return {
    tensors,
    mapping: ours.map(([name, { shape }]) => ({ from: name, to: name, shape, change: "kept" })),
    missing: ours.length === 0 ? [] : missingOf(new Set(tensors.keys()), decoder),
    unused: [...tensors.keys()].filter((name) => !OUR_WEIGHTS.has(name)),
    ...(decoder === undefined ? {} : { decoder }),
  };
}

function decoderOf(tensors: NamedTensors): DecoderKind | undefined {
  if (tensors.has("upsample_1/conv2d/kernel")) return "nearest";
  return tensors.has("upsample_1/conv2d_transpose/kernel") ? "transpose" : undefined;
}

function missingOf(have: ReadonlySet<string>, decoder: DecoderKind = "transpose"): string[] {
  const names = weighted(decoder).flatMap(({ weights }) => weights.map(({ name }) => name));
  return names.filter((name) => !have.has(name));
}

interface Found {
  readonly pairs: LayerPairs;
  readonly decoder: DecoderKind | undefined;
}

/** The encoder by name or order, the decoder or DenseNet121's top by the shapes that are left. */
function byShape(layers: readonly SourceLayer[], source: string): Found {
  const encoder = matchEncoder(layers, source);
  const taken = new Set(encoder.values());
  const rest = layers.filter((layer) => !taken.has(layer));
  const top = topByShape(rest);
  if (top !== undefined) return { pairs: encoder.set(TOP, top), decoder: undefined };
  const found = matchDecoder(
    rest.filter(({ kind }) => kind !== "dense"),
    source,
  );
  return { pairs: new Map([...encoder, ...(found?.pairs ?? [])]), decoder: found?.decoder };
}

/**
 * As the configuration has it; undefined where the file calls its layers otherwise than its configuration does, as old
 * versions of Keras may.
 */
function byTopology(
  topology: TopologyMatch,
  layers: readonly SourceLayer[],
  source: string,
): Found | undefined {
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  const decoder = topology.has("upsample_1/conv2d")
    ? "nearest"
    : topology.has("upsample_1/conv2d_transpose")
      ? "transpose"
      : undefined;
  const head = topology.get("head");
  const theirHead = head && (byPath.get(head.path) ?? byPath.get(head.countedPath));
  const classes = theirHead?.weights.get("bias")?.shape[0] ?? 1;
  const ours =
    decoder === undefined
      ? DEFAULT_ENCODER.layers().filter(({ weights }) => weights.length > 0)
      : weighted(decoder, classes);
  const pairs: LayerPairs = new Map();
  for (const layer of ours) {
    const { path, countedPath } = topology.get(layer.name)!;
    const theirs = byPath.get(path) ?? byPath.get(countedPath);
    if (theirs === undefined) return undefined;
    pairs.set(layer.name, theirs);
  }
  const problems = ours.flatMap((layer) => layerProblem(layer, pairs.get(layer.name)!) ?? []);
  if (problems.length > 0) throw misfit(source, problems);
  const inConfig = topology.get(TOP);
  const top = inConfig && (byPath.get(inConfig.path) ?? byPath.get(inConfig.countedPath));
  if (top !== undefined && mayBeTop(top)) pairs.set(TOP, top);
  return { pairs, decoder };
}

/** The tensors that were found, each for what it is here. */
function taken(
  all: NamedTensors,
  { pairs, decoder, topology }: Found & { topology: TopologyMatch | undefined },
): MatchedWeights {
  const tensors: NamedTensors = new Map();
  const mapping: MappedWeight[] = [];
  const used = new Set<string>();
  const bias = pairs.get("head")?.weights.get("bias");
  const take = (from: string, to: string, folded?: HostTensor): void => {
    const tensor = folded ?? all.get(from)!;
    tensors.set(to, tensor);
    const change = folded !== undefined ? "folded" : from === to ? "kept" : "renamed";
    mapping.push({ from, to, shape: tensor.shape, change });
    used.add(from);
  };
  for (const layer of weighted(decoder ?? "transpose", bias?.shape[0])) {
    const theirs = pairs.get(layer.name);
    if (theirs === undefined) continue;
    const epsilons = epsilonsOf(layer, topology);
    const given = (role: WeightRole): HostTensor => all.get(theirs.weights.get(role)!.name)!;
    for (const { role, name: to } of layer.weights) {
      const folds = role === "gamma" && epsilons !== undefined;
      const folded = folds ? foldEpsilon(given(role), given("moving_variance"), epsilons) : undefined;
      take(theirs.weights.get(role)!.name, to, folded);
    }
  }
  for (const [role, { name }] of pairs.get(TOP)?.weights ?? []) take(name, `${TOP}/${role}`);
  return {
    tensors,
    mapping,
    missing: missingOf(new Set(tensors.keys()), decoder),
    unused: [...all.keys()].filter((name) => !used.has(name)),
    ...(decoder === undefined ? {} : { decoder }),
  };
}

/** Ours and theirs, where they differ. */
function epsilonsOf(
  { name, operation }: Layer,
  topology: TopologyMatch | undefined,
): { ours: number; theirs: number } | undefined {
  if (operation.kind !== "BatchNormalization") return undefined;
  const config = topology?.get(name)?.config;
  if (config === undefined) return undefined;
  const ours = operation.epsilon;
  const theirs = typeof config.epsilon === "number" ? config.epsilon : DEFAULT_EPSILON;
  return ours === theirs ? undefined : { ours, theirs };
}

/** Of Keras, where a configuration leaves it out. */
const DEFAULT_EPSILON = 1e-3;
