import type { Encoder } from "../../layers/networks/encoder.ts";
import { ENCODERS } from "../../layers/networks/encoders.ts";
import type { Layer } from "../../layers/networks/layer.ts";
import { skipLayers } from "../../layers/networks/unet.ts";
import { kerasOrder } from "../keras-order.ts";
import { formatShape } from "../tensors.ts";
import { kindOfOurs, layerProblem, misfit, type LayerPairs } from "./misfit.ts";
import type { LayerKind, SourceLayer } from "./source-layers.ts";

/** An encoder that a file seems to hold. */
export interface LikelyEncoder {
  readonly encoder: Encoder;
  /** How much of it has layers of the same shapes there, 0 to 1. */
  readonly share: number;
}

/** From how much of an encoder on a file counts as one of it. */
export const LIKELY_SHARE = 0.5;

/** The encoder whose layers the file has most of, by their shapes; of equal ones the largest. */
export function likeliestEncoder(layers: readonly SourceLayer[]): LikelyEncoder {
  const there = counted(layers.map(({ kind, weights }) => shapesKey(kind, [...weights.values()])));
  const likely = ENCODERS.map((encoder) => {
    const needed = counted(
      weighted(encoder.layers()).map((layer) => shapesKey(kindOfOurs(layer)!, layer.weights)),
    );
    const total = [...needed.values()].reduce((sum, count) => sum + count, 0);
    const found = [...needed].reduce((sum, [key, count]) => sum + Math.min(count, there.get(key) ?? 0), 0);
    return { encoder, share: found / total, total };
  });
  return likely.reduce((a, b) => (b.share > a.share || (b.share === a.share && b.total > a.total) ? b : a));
}

/** The layers that carry weights. */
export const weighted = (layers: readonly Layer[]): Layer[] =>
  layers.filter(({ weights }) => weights.length > 0);

const shapesKey = (kind: LayerKind, weights: readonly { readonly shape: readonly number[] }[]): string =>
  `${kind === "depthwise" ? "convolution" : kind} ${weights.map(({ shape }) => formatShape(shape)).join()}`;

function counted(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/**
 * Finds an encoder among the layers of a file: by Keras's names where the file has them, else by order, the layers of each
 * kind for themselves. That is right for every way in which Keras writes them, since in each of its files the layers of one
 * kind, and within them the weights of one role, are in the order of `model.layers`.
 *
 * @throws {WeightsError} naming the first layer that does not fit
 */
export function matchEncoder(layers: readonly SourceLayer[], encoder: Encoder, source: string): LayerPairs {
  const all = encoder.layers();
  const attempts = models(all, encoder).flatMap(({ ours, orders }) => {
    const byName = namedLayers(layers, ours, encoder, source);
    const byOrder = (): (Candidates | string)[] =>
      orders.map((order) => orderedLayers(layers, kerasOrder(all, order)));
    if (byName === undefined) return byOrder();
    // The names that Keras gives itself in a model are those by which its files count the layers, in another order.
    return ours.some(({ name }) => AUTOMATIC.test(name)) ? [byName, ...byOrder()] : [byName];
  });
  const outcomes = attempts.map((attempt) =>
    typeof attempt === "string" ? { pairs: new Map() as LayerPairs, problems: [attempt] } : pair(attempt),
  );
  const best = outcomes.reduce((a, b) => (b.problems.length < a.problems.length ? b : a));
  if (best.problems.length > 0) throw misfit(source, best.problems, encoder);
  return best.pairs;
}

/** What of an encoder a file may hold, its weighted layers, and the outputs that its `model.layers` may be ordered by. */
function models(
  all: readonly Layer[],
  encoder: Encoder,
): { ours: readonly Layer[]; orders: readonly (readonly string[])[] }[] {
  const [whole, tapped] = [weighted(all), weighted(skipLayers(encoder))];
  const last = [all.at(-1)!.name];
  const taps = [encoder.taps, [encoder.taps[4]]];
  if (tapped.length === whole.length) return [{ ours: whole, orders: [last, ...taps] }];
  return [
    { ours: whole, orders: [last] },
    { ours: tapped, orders: taps },
  ];
}

type Candidates = [ours: Layer, theirs: SourceLayer | undefined][];

function pair(candidates: Candidates): { pairs: LayerPairs; problems: string[] } {
  const problems: string[] = [];
  const pairs: LayerPairs = new Map();
  for (const [ours, theirs] of candidates) {
    const problem = theirs === undefined ? `it has no layer "${ours.name}"` : layerProblem(ours, theirs);
    if (problem !== undefined) problems.push(problem);
    else pairs.set(ours.name, theirs!);
  }
  return { pairs, problems };
}

/** A layer that Keras has named itself: by its class, and counted on through the whole of a process. */
export const AUTOMATIC = /^(conv2d|depthwise_conv2d|separable_conv2d|batch_normalization|dense)(?:_(\d+))?$/;

/**
 * By name, with whatever the layer is nested in before it; undefined where the first layer is not called so. Of names that
 * Keras has given itself only the order of their numbers counts.
 */
function namedLayers(
  layers: readonly SourceLayer[],
  ours: readonly Layer[],
  encoder: Encoder,
  source: string,
): Candidates | undefined {
  const given = ours.filter(({ name }) => !AUTOMATIC.test(name));
  const automatic = ours.filter(({ name }) => AUTOMATIC.test(name));
  const found = findGiven(layers, given, encoder, source);
  if (given.length > 0 && !found.has(given[0].name)) return undefined;
  const numbered = findAutomatic(layers, automatic);
  if (numbered === undefined) return undefined;
  return ours.map((layer) => [layer, found.get(layer.name) ?? numbered.get(layer.name)]);
}

function findGiven(
  layers: readonly SourceLayer[],
  ours: readonly Layer[],
  encoder: Encoder,
  source: string,
): LayerPairs {
  const names = new Map<string, string>();
  for (const { name } of ours) {
    names.set(name, name);
    // Keras 3 allows no slash.
    names.set(name.replaceAll("/", "_"), name);
  }
  const found: LayerPairs = new Map();
  for (const layer of layers) {
    const parts = layer.path.split("/");
    const name = names.get(parts.slice(-2).join("/")) ?? names.get(parts.at(-1)!);
    if (name === undefined) continue;
    if (found.has(name)) throw misfit(source, [`it has two layers that are called "${name}"`], encoder);
    found.set(name, layer);
  }
  return found;
}

/** Undefined where no part of the file has enough layers that are named so. */
function findAutomatic(layers: readonly SourceLayer[], ours: readonly Layer[]): LayerPairs | undefined {
  const wanted = byStem(ours.map((layer) => [layer.name, layer]));
  const parents = new Map<string, [string, SourceLayer][]>();
  for (const layer of layers) {
    const at = layer.path.lastIndexOf("/");
    const parent = layer.path.slice(0, Math.max(at, 0));
    parents.set(parent, [...(parents.get(parent) ?? []), [layer.path.slice(at + 1), layer]]);
  }
  const complete = [...parents.values()]
    .map(byStem)
    .filter((stems) => [...wanted].every(([stem, all]) => (stems.get(stem)?.length ?? 0) >= all.length));
  const surplus = (stems: ReadonlyMap<string, readonly SourceLayer[]>): number =>
    [...wanted].reduce((sum, [stem, all]) => sum + stems.get(stem)!.length - all.length, 0);
  const best = complete.sort((a, b) => surplus(a) - surplus(b)).at(0);
  if (best === undefined) return undefined;
  return new Map([...wanted].flatMap(([stem, all]) => all.map(({ name }, i) => [name, best.get(stem)![i]])));
}

/** What is named automatically, by class and in the order of the numbers. */
function byStem<L>(named: readonly (readonly [name: string, layer: L])[]): Map<string, L[]> {
  const stems = new Map<string, [number, L][]>();
  for (const [name, layer] of named) {
    const [, stem, number = "-1"] = AUTOMATIC.exec(name) ?? [];
    if (stem !== undefined) stems.set(stem, [...(stems.get(stem) ?? []), [Number(number), layer]]);
  }
  return new Map(
    [...stems].map(([stem, all]) => [stem, all.sort(([a], [b]) => a - b).map(([, layer]) => layer)]),
  );
}

/** By order, the layers of each kind for themselves; a sentence where there are too few. */
function orderedLayers(layers: readonly SourceLayer[], ordered: readonly Layer[]): Candidates | string {
  const ours = weighted(ordered);
  const counts = counted(ours.map((layer) => kindOfOurs(layer)!));
  const own = nestedEncoder(layers, counts) ?? layers;
  const queues = new Map(
    [...counts.keys()].map((kind) => [kind, own.filter((layer) => layer.kind === kind)]),
  );
  for (const [kind, count] of counts) {
    const found = queues.get(kind)!.length;
    if (found < count)
      return `it has ${found} ${PLURALS[kind as LayerKind]} and the encoder alone has ${count}`;
  }
  return ours.map((layer) => [layer, queues.get(kindOfOurs(layer)!)!.shift()]);
}

const PLURALS: Readonly<Record<LayerKind, string>> = {
  convolution: "convolutions",
  depthwise: "depthwise convolutions",
  separable: "separable convolutions",
  normalization: "normalizations",
  dense: "dense layers",
};

/** The layers of the nested model that holds just as many as the encoder, where there is one. */
function nestedEncoder(
  layers: readonly SourceLayer[],
  counts: ReadonlyMap<string, number>,
): SourceLayer[] | undefined {
  const groups = new Map<string, SourceLayer[]>();
  for (const layer of layers) {
    const name = layer.path.split("/")[0];
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [layer]);
    else group.push(layer);
  }
  return [...groups.values()].find((group) =>
    [...counts].every(([kind, count]) => group.filter((layer) => layer.kind === kind).length === count),
  );
}
