import type { Edges, Layer, LayerOperation } from "../../layers/networks/layer.ts";
import type { ReadOperation } from "./keras-operation.ts";

/** The setting in which a layer differs from ours, by Keras's name, or undefined where it does the same. */
export function difference(layer: Layer, read: ReadOperation | undefined): string | undefined {
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
