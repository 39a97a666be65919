import { DEFAULT_ENCODER } from "../../layers/networks/encoders.ts";
import type { Layer } from "../../layers/networks/layer.ts";
import { kindOfOurs, layerProblem, misfit, type LayerPairs } from "./misfit.ts";
import type { LayerKind, SourceLayer } from "./source-layers.ts";

const ENCODER = DEFAULT_ENCODER.layers().filter(({ weights }) => weights.length > 0);
/** The kinds of layers that an encoder has. */
type EncoderKind = Exclude<LayerKind, "dense">;

const COUNTS: Record<EncoderKind, number> = {
  convolution: ENCODER.filter((layer) => kindOfOurs(layer) === "convolution").length,
  normalization: ENCODER.filter((layer) => kindOfOurs(layer) === "normalization").length,
};
/** The shape of the kernel that every DenseNet begins with. */
const FIRST_KERNEL = "7,7,3,64";

/** Whether there is a layer that an encoder like ours could begin with. */
export function mayHoldEncoder(layers: readonly SourceLayer[]): boolean {
  return layers.some(({ weights }) => weights.get("kernel")?.shape.join() === FIRST_KERNEL);
}

/**
 * Finds the encoder among the layers of a file: by Keras's names where the file has them, else by order, convolutions
 * and batch norms each for themselves. That is right for every way in which Keras writes them, since in each of its
 * files the layers of one kind, and within them the weights of one role, are in the order in which they run.
 *
 * @throws {WeightsError} naming the first layer that does not fit
 */
export function matchEncoder(layers: readonly SourceLayer[], source: string): LayerPairs {
  return pair(namedLayers(layers, source) ?? orderedLayers(layers, source), source);
}

type Candidates = [ours: Layer, theirs: SourceLayer | undefined][];

function pair(candidates: Candidates, source: string): LayerPairs {
  const problems: string[] = [];
  const pairs: LayerPairs = new Map();
  for (const [ours, theirs] of candidates) {
    const problem = theirs === undefined ? `it has no layer "${ours.name}"` : layerProblem(ours, theirs);
    if (problem !== undefined) problems.push(problem);
    else pairs.set(ours.name, theirs!);
  }
  if (problems.length > 0) throw misfit(source, problems);
  return pairs;
}

/** By name, with whatever the layer is nested in before it; undefined where the first layer is not called so. */
function namedLayers(layers: readonly SourceLayer[], source: string): Candidates | undefined {
  const names = new Map<string, string>();
  for (const { name } of ENCODER) {
    names.set(name, name);
    // Keras 3 allows no slash.
    names.set(name.replaceAll("/", "_"), name);
  }
  const found: LayerPairs = new Map();
  for (const layer of layers) {
    const parts = layer.path.split("/");
    const name = names.get(parts.slice(-2).join("/")) ?? names.get(parts.at(-1)!);
    if (name === undefined) continue;
    if (found.has(name)) throw misfit(source, [`it has two layers that are called "${name}"`]);
    found.set(name, layer);
  }
  if (!found.has(ENCODER[0].name)) return undefined;
  return ENCODER.map((ours) => [ours, found.get(ours.name)]);
}

function orderedLayers(layers: readonly SourceLayer[], source: string): Candidates {
  const own = nestedEncoder(layers) ?? layers;
  const queues: Record<EncoderKind, SourceLayer[]> = {
    convolution: own.filter(({ kind }) => kind === "convolution"),
    normalization: own.filter(({ kind }) => kind === "normalization"),
  };
  for (const kind of ["convolution", "normalization"] as const) {
    const [found, needed] = [queues[kind].length, COUNTS[kind]];
    if (found < needed) {
      throw misfit(source, [`it has ${found} ${kind}s and the encoder alone has ${needed}`]);
    }
  }
  return ENCODER.map((ours) => [ours, queues[kindOfOurs(ours)!].shift()]);
}

/** The layers of the nested model that holds just as many as the encoder, where there is one. */
function nestedEncoder(layers: readonly SourceLayer[]): SourceLayer[] | undefined {
  const groups = new Map<string, SourceLayer[]>();
  for (const layer of layers) {
    const name = layer.path.split("/")[0];
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [layer]);
    else group.push(layer);
  }
  const count = (group: SourceLayer[], of: LayerKind): number =>
    group.filter(({ kind }) => kind === of).length;
  return [...groups.values()].find((group) =>
    (["convolution", "normalization"] as const).every((kind) => count(group, kind) === COUNTS[kind]),
  );
}
