import type { Encoder } from "../../layers/networks/encoder.ts";
import type { Layer } from "../../layers/networks/layer.ts";
import { unetLayers } from "../../layers/networks/unet.ts";
import { DECODERS_BY_WEIGHTS } from "../../layers/networks/decoder.ts";
import type { Decoder } from "../../layers/networks/decoder.ts";
import { formatShape } from "../tensors.ts";
import { kindOfOurs, layerProblem, misfit, quote, type LayerPairs } from "./misfit.ts";
import type { SourceLayer } from "./source-layers.ts";

/** The decoder that was found, `nearest` for every other of the same weights. */
export interface MatchedDecoder {
  readonly decoder: Decoder;
  readonly classes: number;
  readonly pairs: LayerPairs;
}

/**
 * Finds the decoder among the layers of a file that are not the encoder's. The shapes alone tell them apart: no two of
 * its convolutions read as many channels, no two of its batch norms have as many, and a transposed convolution has
 * its channels the other way round. So the order in which a file lists them does not matter, nor do their names.
 *
 * @returns undefined where there is nothing but the encoder
 * @throws {WeightsError} naming the first layer that does not fit
 */
export function matchDecoder(
  rest: readonly SourceLayer[],
  encoder: Encoder,
  source: string,
): MatchedDecoder | undefined {
  if (rest.length === 0) return undefined;
  const attempts = DECODERS_BY_WEIGHTS.map((decoder) => attempt(rest, encoder, decoder));
  const best = attempts.reduce((a, b) => (b.problems.length < a.problems.length ? b : a));
  if (best.problems.length > 0) throw misfit(source, best.problems, encoder);
  return best;
}

function attempt(
  rest: readonly SourceLayer[],
  encoder: Encoder,
  decoder: Decoder,
): MatchedDecoder & { problems: string[] } {
  const classes = classesOf(rest, headChannels(encoder), decoder);
  const ours = unetLayers({ encoder, classes: classes ?? 1, decoder }).filter(
    ({ part, weights }) => part !== "encoder" && weights.length > 0,
  );
  const pairs: LayerPairs = new Map();
  const used = new Set<SourceLayer>();
  const problems: string[] = [];
  const missing: Layer[] = [];
  for (const layer of ours) {
    const fitting = rest.filter((theirs) => isLike(layer, theirs));
    if (fitting.length > 1) {
      const names = fitting.map(({ path }) => quote(path)).join(" and ");
      problems.push(`its layers ${names} could both be "${layer.name}"`);
    } else if (fitting.length === 0) missing.push(layer);
    else {
      pairs.set(layer.name, fitting[0]);
      const problem = layerProblem(layer, fitting[0]);
      if (problem !== undefined) problems.push(problem);
    }
    fitting.forEach((theirs) => used.add(theirs));
  }
  const left = rest.filter((theirs) => !used.has(theirs));
  for (const layer of missing) problems.push(missingLayer(layer, encoder, left));
  const surplus = left.slice(missing.length);
  for (const { path } of surplus) problems.push(`its layer ${quote(path)} is none of the U-Net's`);
  return { decoder, classes: classes ?? 0, pairs, problems };
}

/** Whether a layer has the shape of one of ours; a bias is looked at later, to be told of. */
function isLike(ours: Layer, theirs: SourceLayer): boolean {
  if (kindOfOurs(ours) !== theirs.kind) return false;
  const { role, shape } = ours.weights[0];
  return formatShape(theirs.weights.get(role)?.shape ?? []) === formatShape(shape);
}

/** The channels that the head reads, by which it is known whatever its number of classes. */
const headChannels = (encoder: Encoder): number =>
  unetLayers({ encoder, classes: 1, decoder: "nearest" }).at(-1)!.weights[0].shape[2];

function classesOf(rest: readonly SourceLayer[], channels: number, decoder: Decoder): number | undefined {
  for (const { weights } of rest) {
    const [height, width, first, second] = weights.get("kernel")?.shape ?? [];
    const [read, written] = decoder === "transpose" ? [second, first] : [first, second];
    if (height === 3 && width === 3 && read === channels && weights.has("bias")) return written;
  }
  return undefined;
}

function missingLayer(ours: Layer, encoder: Encoder, left: readonly SourceLayer[]): string {
  const { role, shape } = ours.weights[0];
  const wanted =
    ours.part === "head"
      ? `a bias and a kernel that reads ${headChannels(encoder)} channels`
      : `a ${role} of shape ${formatShape(shape)}`;
  const none = `it has no layer like "${ours.name}" with ${wanted}`;
  const like = left.find(({ kind }) => kind === kindOfOurs(ours));
  if (like === undefined) return none;
  const found = like.weights.get(role);
  return found === undefined ? none : `${none} (its ${quote(like.path)} has ${formatShape(found.shape)})`;
}
