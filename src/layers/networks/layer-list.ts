import { INPUT } from "./layer.ts";
import type { Layer, LayerOperation, LayerPart, LayerWeight, WeightRole } from "./layer.ts";

/** What a layer needs to know of what it reads. */
type Read = Pick<Layer, "channels" | "stride">;

/** Layers as they are added, each with what follows from those before it: how a network is written. */
export class LayerList {
  /** Those added so far, in the order in which they run. */
  readonly layers: Layer[];
  /** Of the layers that are added from now on. */
  part: LayerPart = null;
  readonly #byName: Map<string, Read>;

  /** Begins with `layers` that are there already, none by default. `inputs` can be read besides, by name: photos by default. */
  constructor({
    layers = [],
    inputs = { [INPUT]: { channels: 3, stride: 1 } },
  }: { layers?: readonly Layer[]; inputs?: Readonly<Record<string, Read>> } = {}) {
    this.layers = [...layers];
    this.#byName = new Map(Object.entries(inputs));
    for (const layer of layers) this.#byName.set(layer.name, layer);
  }

  /**
   * Channels of a layer's result.
   *
   * @throws Error when there is no layer or input of that name.
   */
  channels(name: string): number {
    return this.#read(name).channels;
  }

  /**
   * Adds a layer and returns its name.
   *
   * @throws Error when a layer of that name is there, or one that it reads is not
   */
  add(name: string, operation: LayerOperation, ...inputs: string[]): string {
    if (this.#byName.has(name)) throw new Error(`There are two layers called "${name}".`);
    const read = inputs.map((input) => this.#read(input));
    const inChannels =
      operation.kind === "Concatenate"
        ? read.reduce((sum, { channels }) => sum + channels, 0)
        : read[0].channels;
    const layer: Layer = {
      name,
      part: this.part,
      operation,
      inputs,
      weights: weightsOf(name, operation, inChannels),
      channels: channelsAfter(operation, inChannels),
      stride: strideAfter(operation, read[0].stride),
    };
    this.layers.push(layer);
    this.#byName.set(name, layer);
    return name;
  }

  #read(name: string): Read {
    const layer = this.#byName.get(name);
    if (layer === undefined) throw new Error(`There is no layer called "${name}".`);
    return layer;
  }
}

function channelsAfter(operation: LayerOperation, before: number): number {
  if ("filters" in operation) return operation.filters;
  if (operation.kind === "Dense") return operation.units;
  return operation.kind === "Reshape" ? operation.target.at(-1)! : before;
}

function strideAfter(operation: LayerOperation, before: number): number {
  if (operation.kind === "CenterCropOrPad") return operation.stride;
  if (operation.kind === "UpSampling2D") return before / 2;
  if (operation.kind === "Conv2DTranspose") return before / operation.strides;
  return "strides" in operation ? before * operation.strides : before;
}

function weightsOf(layer: string, operation: LayerOperation, inChannels: number): LayerWeight[] {
  const weight = (role: WeightRole, ...shape: number[]): LayerWeight => ({
    role,
    name: `${layer}/${role}`,
    shape,
  });
  const withBias = (useBias: boolean, channels: number): LayerWeight[] =>
    useBias ? [weight("bias", channels)] : [];
  switch (operation.kind) {
    case "BatchNormalization": {
      const roles = ["gamma", "beta", "moving_mean", "moving_variance"] as const;
      return roles
        .filter((role) => role !== "gamma" || operation.scale)
        .map((role) => weight(role, inChannels));
    }
    case "Conv2D":
    case "Conv2DTranspose": {
      const { kind, filters, kernelSize, useBias } = operation;
      const channels = kind === "Conv2D" ? [inChannels, filters] : [filters, inChannels];
      return [weight("kernel", ...kernelSize, ...channels), ...withBias(useBias, filters)];
    }
    case "DepthwiseConv2D": {
      const { kernelSize, useBias } = operation;
      return [weight("depthwise_kernel", ...kernelSize, inChannels, 1), ...withBias(useBias, inChannels)];
    }
    case "SeparableConv2D": {
      const { filters, kernelSize, useBias } = operation;
      return [
        weight("depthwise_kernel", ...kernelSize, inChannels, 1),
        weight("pointwise_kernel", 1, 1, inChannels, filters),
        ...withBias(useBias, filters),
      ];
    }
    case "Dense":
      return [weight("kernel", inChannels, operation.units), weight("bias", operation.units)];
    default:
      return [];
  }
}

/** The layers that some of them need, themselves included, in their order. */
export function neededFor(names: readonly string[], layers: readonly Layer[]): Layer[] {
  const needed = new Set(names);
  for (const { name, inputs } of [...layers].reverse()) {
    if (needed.has(name)) inputs.forEach((input) => needed.add(input));
  }
  return layers.filter(({ name }) => needed.has(name));
}
