/**
 * @file A network for formats in which a layer says itself how many rows and columns it adds or takes away, whatever the size
 * of the photos.
 */
import { toSize } from "../image-size.ts";
import type { Size } from "../image-size.ts";
import type { Encoder } from "../layers/networks/encoder.ts";
import type { Edges, Layer } from "../layers/networks/layer.ts";
import { centering, paddingOf, sizesOf } from "../layers/networks/sizes.ts";
import { WeightsError } from "./weights-error.ts";
import type { WrittenNetwork } from "./written-network.ts";

/** What a layer adds, or takes away. */
interface Edging {
  readonly kind: "ZeroPadding2D" | "Cropping2D";
  readonly edges: Edges;
}

/**
 * The layers of a network, with those that depend on the size of the photos as a `ZeroPadding2D` or a `Cropping2D` of so many
 * rows and columns.
 *
 * @throws {WeightsError} where the size is not known, and they are not the same for all
 */
export function resolvedLayers({ encoder, layers, imageSize }: WrittenNetwork): Layer[] {
  const sizes = imageSize === null ? severalSides(encoder).map(toSize) : [imageSize];
  const edgings = sizes.map((size) => edgingsOf(layers, size));
  return layers.map((layer): Layer => {
    const [first, ...others] = edgings.map((all) => all.get(layer.name));
    if (first === undefined) return layer;
    if (others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
      throw new WeightsError(
        `The layer "${layer.name}" of ${encoder.title} is another for photos of other sizes, and theirs is not known: give ` +
          "it with --image-size, 128 for example.",
      );
    }
    const { kind, edges } = first;
    const operation = kind === "Cropping2D" ? { kind, cropping: edges } : { kind, padding: edges };
    return { ...layer, operation };
  });
}

/** Sides of photos, of which enough are the same. */
function severalSides({ smallestImage }: Encoder): number[] {
  const smallest = Math.ceil(smallestImage / 32) * 32;
  return [0, 1, 2, 3].map((more) => smallest + 32 * more);
}

function edgingsOf(layers: readonly Layer[], { height, width }: Size): Map<string, Edging> {
  const sizes = sizesOf(layers, [height, width]);
  const edgings = new Map<string, Edging>();
  for (const { name, operation, inputs } of layers) {
    const from = sizes.get(inputs[0])!;
    if (operation.kind === "ZeroPadding2D") {
      edgings.set(name, { kind: operation.kind, edges: paddingOf(operation, from) });
    } else if (operation.kind === "CenterCropOrPad") {
      const { cropping, padding } = centering(from, sizes.get(name)!);
      const crops = Object.values(cropping).some((edge) => edge > 0);
      edgings.set(
        name,
        crops ? { kind: "Cropping2D", edges: cropping } : { kind: "ZeroPadding2D", edges: padding },
      );
    }
  }
  return edgings;
}
