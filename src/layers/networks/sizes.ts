import { INPUT } from "./layer.ts";
import type { Edges, Layer, LayerOperation, OperationOf, Size } from "./layer.ts";

/** Height and width of every layer's result, by name, for photos of `size`; `[1, 1]` where pixels are gone. */
export function sizesOf(layers: readonly Layer[], size: Size): Map<string, Size> {
  const sizes = new Map<string, Size>([[INPUT, size]]);
  for (const { name, operation, inputs } of layers) {
    sizes.set(name, sizeAfter(operation, sizes.get(inputs[0])!, size));
  }
  return sizes;
}

/** The rows and columns of zeros that a layer adds to an image of a size. */
export function paddingOf({ padding }: OperationOf<"ZeroPadding2D">, [height, width]: Size): Edges {
  if (!("halving" in padding)) return padding;
  const end = Math.floor(padding.halving / 2);
  const begin = (extent: number): number => (extent % 2 === 0 ? end - 1 : end);
  return { top: begin(height), bottom: end, left: begin(width), right: end };
}

/** How far an image of `from` is cropped and then padded to become one of `to`, around its centre. */
export function centering(from: Size, to: Size): { readonly cropping: Edges; readonly padding: Edges } {
  const split = (vertical: number, horizontal: number): Edges => {
    const [rows, columns] = [Math.max(vertical, 0), Math.max(horizontal, 0)];
    const [top, left] = [Math.floor(rows / 2), Math.floor(columns / 2)];
    return { top, bottom: rows - top, left, right: columns - left };
  };
  return {
    cropping: split(from[0] - to[0], from[1] - to[1]),
    padding: split(to[0] - from[0], to[1] - from[1]),
  };
}

function sizeAfter(operation: LayerOperation, [height, width]: Size, photo: Size): Size {
  const each = (extent: (before: number, axis: 0 | 1) => number): Size => [
    extent(height, 0),
    extent(width, 1),
  ];
  const strided = (
    { strides, padding }: { strides: number; padding: "same" | "valid" },
    [kernelHeight, kernelWidth]: Size,
  ): Size =>
    each((before, axis) => {
      const kernel = axis === 0 ? kernelHeight : kernelWidth;
      return Math.ceil((padding === "same" ? before : before - kernel + 1) / strides);
    });
  switch (operation.kind) {
    case "Conv2D":
    case "DepthwiseConv2D":
    case "SeparableConv2D":
      return strided(operation, operation.kernelSize);
    case "MaxPooling2D":
    case "AveragePooling2D":
      return strided(operation, [operation.poolSize, operation.poolSize]);
    case "Conv2DTranspose":
      return each((before) => before * operation.strides);
    case "UpSampling2D":
      return each((before) => before * 2);
    case "ZeroPadding2D": {
      const { top, bottom, left, right } = paddingOf(operation, [height, width]);
      return [height + top + bottom, width + left + right];
    }
    case "Cropping2D": {
      const { top, bottom, left, right } = operation.cropping;
      return [height - top - bottom, width - left - right];
    }
    case "CenterCropOrPad":
      return [photo[0] / operation.stride, photo[1] / operation.stride];
    case "GlobalAveragePooling2D":
    case "Dense":
    case "Reshape":
      return [1, 1];
    default:
      return [height, width];
  }
}
