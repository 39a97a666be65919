/**
 * @file Holds a Keras model's configuration against the U-Net: which of its layers is which of ours follows from what
 * each does and reads, whatever they are called. It finds what shapes cannot tell: skips joined in another order, other
 * strides or activations, another ε.
 */
import { DEFAULT_ENCODER } from "../../layers/networks/encoders.ts";
import { INPUT } from "../../layers/networks/layer.ts";
import type { Layer, LayerOperation, OperationOf, Size } from "../../layers/networks/layer.ts";
import { unetLayers } from "../../layers/networks/unet.ts";
import type { UnetLayersOptions } from "../../layers/networks/unet.ts";
import {
  configModel,
  ConfigProblem,
  MODEL_INPUT,
  type ConfigLayer,
  type ConfigModel,
} from "./keras-config.ts";
import { misfit, oneOutput, preparation, quote } from "./misfit.ts";
import { WeightsError } from "../weights-error.ts";
import { TOP, topInConfig } from "./top.ts";

/** A model that is ours, or its encoder, perhaps with DenseNet121's top: our layer's name → theirs. */
export type TopologyMatch = ReadonlyMap<string, ConfigLayer>;

type Config = Readonly<Record<string, unknown>>;

/** Classes of Keras that do what another class does. */
const KINDS: ReadonlyMap<string, LayerOperation["kind"]> = new Map([["ReLU", "Activation"]]);

/**
 * Finds our layers in a model.
 *
 * @param config of the model, parsed and otherwise unchecked
 * @returns undefined where the configuration does not tell the layers
 * @throws {WeightsError} naming the first of our layers that is not in the model
 */
export function matchTopology(config: unknown, source: string): TopologyMatch | undefined {
  let model: ConfigModel | undefined;
  try {
    model = configModel(config);
  } catch (error) {
    if (error instanceof ConfigProblem) throw misfit(source, [error.message]);
    throw error;
  }
  if (model === undefined) return undefined;
  const { layers: theirs } = model;
  checkPreparation(theirs, source);
  const index = indexed(theirs);
  const networks = [
    ...(["transpose", "nearest"] as const).map((decoder) => unet(decoder)),
    ...(theirs.some(({ className }) => /^(Conv2DTranspose|UpSampling2D)$/.test(className)) ? [] : [ENCODER]),
  ];
  const attempts = networks.map((ours) => attempt(ours, index));
  const best = attempts.reduce((a, b) => (b.problems.length < a.problems.length ? b : a));
  if (best.problems.length > 0) throw misfit(source, best.problems);
  const { pairs } = best;
  const head = pairs.get("head");
  if (head !== undefined) checkOutput(model, head, source);
  const { path: last } = pairs.get("bn")!;
  const top = topInConfig(theirs, [last, index.get(key("Activation", [last]))?.[0].path]);
  return top === undefined ? pairs : pairs.set(TOP, top);
}

/** Layers that prepare photos, wherever they are. */
const PREPARATION = new Set(["Rescaling", "Normalization", "Resizing", "CenterCrop", "RandomCrop"]);
/** Arithmetic, which prepares photos where it is the first to read them. */
const ARITHMETIC =
  /^(Lambda|TFOpLambda|SlicingOpLambda|TensorFlowOpLayer|(True|Floor)?Divide|Subtract|Add|Multiply|GetItem|Cast)$/;

/** @throws {WeightsError} naming a layer that prepares the photos */
function checkPreparation(layers: readonly ConfigLayer[], source: string): void {
  const found = layers.find(
    ({ className, inputs }) =>
      PREPARATION.has(className) || (ARITHMETIC.test(className) && inputs.includes(MODEL_INPUT)),
  );
  if (found !== undefined) throw preparation(source, found.path, found.className);
}

/** @throws {WeightsError} where the U-Net's logits, or the probabilities made of them, are not all that the model gives */
function checkOutput({ layers, outputs }: ConfigModel, head: ConfigLayer, source: string): void {
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  const isSoftmax = ({ className, config }: ConfigLayer): boolean =>
    className === "Softmax" || (className === "Activation" && config.activation === "softmax");
  if (head.config.filters === 1) throw oneOutput(source);
  if (outputs.length !== 1)
    throw misfit(source, [`it has ${outputs.length} outputs where the U-Net has one`]);
  const last = byPath.get(outputs[0]);
  if (last === head || (last && isSoftmax(last) && last.inputs[0] === head.path)) return;
  const what = last === undefined ? "none of its layers" : `its layer ${quote(last.path)}`;
  throw misfit(source, [`its output is made by ${what} where the U-Net ends with ${quote(head.path)}`]);
}

/** What comes after the last weight is not needed of an encoder: many exports end with the batch norm. */
const ENCODER = DEFAULT_ENCODER.layers().slice(0, -1);

/** The number of classes is the head's own affair. */
const unet = (decoder: UnetLayersOptions["decoder"]): Layer[] => unetLayers({ classes: 1, decoder });

type Index = ReadonlyMap<string, readonly ConfigLayer[]>;

/** What a layer does and reads. */
const key = (kind: string, inputs: readonly string[]): string => JSON.stringify([kind, ...inputs]);

function indexed(layers: readonly ConfigLayer[]): Index {
  const index = new Map<string, ConfigLayer[]>();
  for (const layer of layers) {
    const at = key(KINDS.get(layer.className) ?? layer.className, layer.inputs);
    const same = index.get(at);
    if (same === undefined) index.set(at, [layer]);
    else same.push(layer);
  }
  return index;
}

function attempt(
  ours: readonly Layer[],
  index: Index,
): { pairs: Map<string, ConfigLayer>; problems: string[] } {
  const pairs = new Map<string, ConfigLayer>();
  const problems: string[] = [];
  const theirName = (name: string): string | undefined =>
    name === INPUT ? MODEL_INPUT : pairs.get(name)?.path;
  for (const layer of ours) {
    const inputs = layer.inputs.map(theirName);
    const known = inputs.every((input) => input !== undefined);
    const candidates = known ? (index.get(key(layer.operation.kind, inputs)) ?? []) : [];
    const fitting = candidates.filter((theirs) => difference(layer, theirs) === undefined);
    if (fitting.length === 1) pairs.set(layer.name, fitting[0]);
    else problems.push(problem(layer, candidates, fitting));
  }
  return { pairs, problems };
}

function problem(ours: Layer, candidates: readonly ConfigLayer[], fitting: readonly ConfigLayer[]): string {
  if (fitting.length > 1) {
    const names = fitting.map(({ path }) => quote(path)).join(" and ");
    return `its layers ${names} do the same with the same input`;
  }
  if (candidates.length > 0) {
    return `its layer ${quote(candidates[0].path)} has another ${difference(ours, candidates[0])} than "${ours.name}"`;
  }
  const reads = ours.inputs.map((input) => `"${input}"`).join(" and ");
  return `it has no ${ours.operation.kind} in the place of "${ours.name}", which reads ${reads}`;
}

/** The setting in which a layer differs from ours, or undefined where it does the same. */
function difference(ours: Layer, { className, config }: ConfigLayer): string | undefined {
  const wanted = settings(ours, className, config);
  return Object.keys(wanted).find((setting) => !wanted[setting](config[setting]));
}

type Test = (value: unknown) => boolean;

/** What each setting must be; a setting that a file leaves out has Keras's default. */
function settings(ours: Layer, className: string, config: Config): Record<string, Test> {
  const { operation } = ours;
  const layout = { data_format: orDefault((value) => value === "channels_last") };
  switch (operation.kind) {
    case "ZeroPadding2D":
      return { ...layout, padding: isPadding(operation.padding) };
    case "Conv2D":
    case "Conv2DTranspose": {
      const { filters, kernelSize, strides, padding, useBias } = operation;
      const isHead = ours.part === "head";
      return {
        ...layout,
        filters: (value) => isHead || value === filters,
        kernel_size: isSize(kernelSize),
        strides: orDefault(every(strides), strides === 1),
        // A kernel of one pixel has nothing to pad for.
        padding: orDefault((value) => kernelSize.join() === "1,1" || value === padding, padding === "valid"),
        output_padding: orDefault(() => false),
        dilation_rate: orDefault(every(1)),
        groups: orDefault((value) => value === 1),
        use_bias: orDefault((value) => value === useBias, useBias),
        // Probabilities are made of the same logits. (What has one output only is refused later, for that.)
        activation: orDefault(
          (value) =>
            value === "linear" ||
            (isHead && (value === "softmax" || (value === "sigmoid" && config.filters === 1))),
        ),
      };
    }
    case "BatchNormalization": {
      const on = orDefault((value) => value === true);
      const isEpsilon: Test = (value) => typeof value === "number" && value > 0 && Number.isFinite(value);
      return { axis: orDefault(isLastAxis), center: on, scale: on, epsilon: orDefault(isEpsilon) };
    }
    case "Activation":
      if (className === "Activation") return { activation: (value) => value === operation.activation };
      return {
        max_value: orDefault(() => false),
        negative_slope: orDefault(every(0)),
        threshold: orDefault(every(0)),
      };
    case "MaxPooling2D":
    case "AveragePooling2D": {
      const { poolSize, strides } = operation;
      const steps: Test = config.strides == null ? () => poolSize === strides : every(strides);
      const valid: Test = (value) => value === "valid";
      return {
        ...layout,
        pool_size: orDefault(every(poolSize), poolSize === 2),
        strides: steps,
        padding: orDefault(valid),
      };
    }
    case "Concatenate":
      return { axis: orDefault(isLastAxis) };
    case "UpSampling2D":
      return {
        ...layout,
        size: orDefault(every(2)),
        interpolation: orDefault((value) => value === "nearest"),
      };
    default:
      throw new WeightsError(`Layers of the kind ${operation.kind} ("${ours.name}") are not compared yet.`);
  }
}

/** A setting that may be left out; `fits` says whether Keras's default is what is wanted. */
function orDefault(test: Test, fits = true): Test {
  return (value) => (value === undefined || value === null ? fits : test(value));
}

/** A number, or lists of nothing but it: `3`, `[3, 3]`, `[[3, 3], [3, 3]]`. */
function every(number: number): Test {
  return (value) =>
    Array.isArray(value)
      ? value.length > 0 && value.flat().every((item) => item === number)
      : value === number;
}

/** `[7, 1]`, or one number for both. */
function isSize([height, width]: Size): Test {
  return (value) =>
    Array.isArray(value)
      ? value.length === 2 && value[0] === height && value[1] === width
      : value === height && value === width;
}

/** One number for all edges, one for each axis, or `[[top, bottom], [left, right]]`. */
function isPadding(padding: OperationOf<"ZeroPadding2D">["padding"]): Test {
  if ("halving" in padding)
    throw new WeightsError("A padding that depends on the image's size is not compared yet.");
  const { top, bottom, left, right } = padding;
  return (value) => {
    const axes: unknown[] = Array.isArray(value) ? value : [value, value];
    const edges = axes.flatMap((axis): unknown[] => (Array.isArray(axis) ? axis : [axis, axis]));
    return axes.length === 2 && edges.join() === [top, bottom, left, right].join();
  };
}

/** Images have four axes; older files list the axis. */
function isLastAxis(value: unknown): boolean {
  const axis: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return axis === 3 || axis === -1;
}
