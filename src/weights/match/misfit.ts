import type { Encoder } from "../../layers/networks/encoder.ts";
import type { Layer } from "../../layers/networks/layer.ts";
import { formatShape } from "../tensors.ts";
import { WeightsError } from "../weights-error.ts";
import { sourceRole, type LayerKind, type SourceLayer } from "./source-layers.ts";

/** Which layer of a file is which of ours: our layer's name → theirs. */
export type LayerPairs = Map<string, SourceLayer>;

/**
 * The refusal of a network that is none of ours: the first thing that does not fit, and how many more there are.
 *
 * @param encoder what it was held against
 */
export function misfit(source: string, problems: readonly string[], { title }: Encoder): WeightsError {
  const others = problems.length - 1;
  const more = others > 0 ? `, and ${others} more of its layers ${others === 1 ? "does" : "do"} not fit` : "";
  return new WeightsError(
    `The weights file ${source} does not fit: ${problems[0]}${more}; use weights of the U-Net on ${title}, or of ${title} alone.`,
  );
}

/** The refusal of a network that tells two classes apart by one number, as a sigmoid has it. */
export function oneOutput(source: string): WeightsError {
  return new WeightsError(
    `${source} has one output for each pixel, as a network that ends with a sigmoid: here each class has its own, and the ` +
      "largest is taken; train it with two (2 filters, softmax), or save it with two of which the first one's weights " +
      "and bias are 0, which is the same network.",
  );
}

/**
 * The refusal of a network that prepares its photos by one of its own layers. That is done here before the network, so the
 * other weights alone would see other photos than they were trained on.
 */
export function preparation(source: string, path: string, className: string): WeightsError {
  return new WeightsError(
    `${source} prepares its photos itself, by its layer ${quote(path)} (${quote(className)}), which is done here before the ` +
      "network (pixels come divided by 255): build the model without that layer, which leaves the other weights as they " +
      "are, and save that.",
  );
}

/** What keeps a layer from being one of ours, or undefined where nothing does. */
export function layerProblem(ours: Layer, theirs: SourceLayer): string | undefined {
  for (const { role, shape } of ours.weights) {
    const weight = theirs.weights.get(sourceRole(ours, role));
    if (weight === undefined)
      return `its layer ${quote(theirs.path)} has no ${role}, and "${ours.name}" has one`;
    if (formatShape(weight.shape) !== formatShape(shape)) {
      const shapes = `of shape ${formatShape(weight.shape)} where ${formatShape(shape)} is expected`;
      return `its layer ${quote(theirs.path)} has a ${role} ${shapes} ("${ours.name}")`;
    }
  }
  if (theirs.weights.size > ours.weights.length) {
    const surplus = theirs.weights.has("gamma") && !ours.weights.some(({ role }) => role === "gamma");
    return `its layer ${quote(theirs.path)} has a ${surplus ? "gamma" : "bias"}, and "${ours.name}" has none`;
  }
  return undefined;
}

/** A name from a file, of any length and characters. */
export function quote(name: string): string {
  return JSON.stringify(name.length <= 100 ? name : `${name.slice(0, 97)}...`);
}

/** The kind of a layer of ours by its weights; undefined where it has none. */
export function kindOfOurs({ operation, weights }: Layer): LayerKind | undefined {
  if (weights.length === 0) return undefined;
  switch (operation.kind) {
    case "BatchNormalization":
      return "normalization";
    case "DepthwiseConv2D":
      return "depthwise";
    case "SeparableConv2D":
      return "separable";
    case "Dense":
      return "dense";
    default:
      return "convolution";
  }
}
