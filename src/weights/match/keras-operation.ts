/** @file What a layer of a Keras model's configuration does, in the terms of our own layers. */
import type { Activation, Edges, LayerOperation, Padding, Size } from "../../layers/networks/layer.ts";
import type { ConfigLayer } from "./keras-config.ts";

/** What a layer does; `odd` names a setting of it that none of our layers can have. */
export interface ReadOperation {
  readonly operation: LayerOperation;
  readonly odd?: string;
}

/** What a layer of a configuration does; undefined where none of our layers does such a thing. */
export function readOperation({ className, config }: ConfigLayer): ReadOperation | undefined {
  const settings = new Settings(config);
  const operation = operationOf(className, settings);
  if (operation === undefined) return undefined;
  return settings.odd === undefined ? { operation } : { operation, odd: settings.odd };
}

function operationOf(className: string, settings: Settings): LayerOperation | undefined {
  switch (className) {
    case "Conv2D":
    case "Conv2DTranspose": {
      settings.must("output_padding", (value) => value === undefined);
      return { kind: className, filters: settings.number("filters"), ...convolution(settings) };
    }
    case "DepthwiseConv2D":
      settings.must("depth_multiplier", (value) => value === undefined || value === 1);
      return { kind: className, ...convolution(settings) };
    case "SeparableConv2D":
      settings.must("depth_multiplier", (value) => value === undefined || value === 1);
      return { kind: className, filters: settings.number("filters"), ...convolution(settings) };
    case "BatchNormalization":
      settings.must("axis", (value) => value === undefined || isLastAxis(value));
      settings.must("center", (value) => value !== false);
      return {
        kind: className,
        epsilon: settings.number("epsilon", DEFAULT_EPSILON),
        momentum: 0.99,
        scale: settings.flag("scale"),
      };
    case "Activation":
      return { kind: className, activation: settings.activation() };
    case "ReLU": {
      const isZero = (value: unknown): boolean => value === undefined || isEvery(value, 0);
      settings.must("negative_slope", isZero);
      settings.must("threshold", isZero);
      settings.must("max_value", (value) => value === undefined || value === 6);
      return { kind: "Activation", activation: settings.has("max_value") ? "relu6" : "relu" };
    }
    case "ZeroPadding2D":
      settings.channelsLast();
      return { kind: className, padding: settings.edges("padding") };
    case "Cropping2D":
      settings.channelsLast();
      return { kind: className, cropping: settings.edges("cropping") };
    case "MaxPooling2D":
    case "AveragePooling2D": {
      settings.channelsLast();
      const poolSize = settings.square("pool_size", 2);
      return {
        kind: className,
        poolSize,
        strides: settings.square("strides", poolSize),
        padding: settings.padding(),
      };
    }
    case "GlobalAveragePooling2D":
      settings.channelsLast();
      settings.must("keepdims", (value) => value !== true);
      return { kind: className };
    case "Reshape":
      return { kind: className, target: settings.numbers("target_shape") };
    case "Dense":
      settings.must("use_bias", (value) => value !== false);
      return { kind: className, units: settings.number("units"), activation: settings.activation() };
    case "Add":
    case "Multiply":
      return { kind: className };
    case "Concatenate":
      settings.must("axis", (value) => value === undefined || isLastAxis(value));
      return { kind: className };
    case "UpSampling2D":
      settings.channelsLast();
      settings.must("size", (value) => value === undefined || isEvery(value, 2));
      return { kind: className, interpolation: settings.interpolation() };
    default:
      return undefined;
  }
}

/** What all convolutions have. */
function convolution(settings: Settings): {
  kernelSize: Size;
  strides: number;
  padding: Padding;
  useBias: boolean;
} {
  settings.channelsLast();
  settings.must("dilation_rate", (value) => value === undefined || isEvery(value, 1));
  settings.must("groups", (value) => value === undefined || value === 1);
  return {
    kernelSize: settings.size("kernel_size"),
    strides: settings.square("strides", 1),
    padding: settings.padding(),
    useBias: settings.flag("use_bias"),
  };
}

/** Of Keras's batch norm, where a configuration leaves it out. */
const DEFAULT_EPSILON = 1e-3;

/** Other names of the same function. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  ...{ relu: "relu", relu6: "relu6", sigmoid: "sigmoid", linear: "linear", softmax: "softmax" },
  ...{ swish: "swish", silu: "swish", hard_swish: "hard_swish", hard_silu: "hard_swish" },
};

/** The settings of one layer: what is left out has Keras's default, and the first that fits nothing of ours is noted. */
class Settings {
  odd: string | undefined;
  readonly #config: Readonly<Record<string, unknown>>;

  constructor(config: Readonly<Record<string, unknown>>) {
    this.#config = config;
  }

  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  must(name: string, fits: (value: unknown) => boolean): void {
    if (!fits(this.#value(name))) this.#note(name);
  }

  channelsLast(): void {
    this.must("data_format", (value) => value === undefined || value === "channels_last");
  }

  number(name: string, byDefault = Number.NaN): number {
    const value = this.#value(name) ?? byDefault;
    if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
    this.#note(name);
    return byDefault;
  }

  numbers(name: string): number[] {
    const value = this.#value(name);
    if (Array.isArray(value) && value.every((item) => typeof item === "number")) return value;
    this.#note(name);
    return [];
  }

  flag(name: string): boolean {
    return this.#value(name) !== false;
  }

  padding(): Padding {
    const value = this.#value("padding") ?? "valid";
    if (value === "valid" || value === "same") return value;
    this.#note("padding");
    return "valid";
  }

  interpolation(): "nearest" | "bilinear" {
    const value = this.#value("interpolation") ?? "nearest";
    if (value === "nearest" || value === "bilinear") return value;
    this.#note("interpolation");
    return "nearest";
  }

  activation(): Activation {
    const value = this.#value("activation") ?? "linear";
    if (typeof value === "string" && Object.hasOwn(ACTIVATIONS, value)) return ACTIVATIONS[value];
    this.#note("activation");
    return "linear";
  }

  /** `3` or `[3, 3]`. */
  size(name: string): Size {
    const [height, width] = pairOf(this.#value(name));
    if (typeof height === "number" && typeof width === "number") return [height, width];
    this.#note(name);
    return [1, 1];
  }

  /** A {@link size} whose sides are equal. */
  square(name: string, byDefault: number): number {
    if (!this.has(name)) return byDefault;
    const [height, width] = this.size(name);
    if (height !== width) this.#note(name);
    return height;
  }

  /** `1`, `[1, 2]` or `[[0, 1], [0, 1]]`. */
  edges(name: string): Edges {
    const all = pairOf(this.#value(name) ?? 1).flatMap(pairOf);
    const [top, bottom, left, right] = all.map((edge) => (typeof edge === "number" ? edge : Number.NaN));
    if (all.some((edge) => typeof edge !== "number")) this.#note(name);
    return { top, bottom, left, right };
  }

  #value(name: string): unknown {
    return this.#config[name] ?? undefined;
  }

  #note(name: string): void {
    this.odd ??= name;
  }
}

/** Both of two, or one thing twice. */
function pairOf(value: unknown): [unknown, unknown] {
  return Array.isArray(value) && value.length === 2 ? [value[0], value[1]] : [value, value];
}

/** A number, or lists of nothing but it: `3`, `[3, 3]`, `[[3, 3], [3, 3]]`. */
function isEvery(value: unknown, number: number): boolean {
  return Array.isArray(value)
    ? value.length > 0 && value.flat().every((item) => item === number)
    : value === number;
}

/** Images have four axes; older files list the axis. */
function isLastAxis(value: unknown): boolean {
  const axis: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return axis === 3 || axis === -1;
}
