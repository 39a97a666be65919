/**
 * @file How a network prepares its photos by its own first layers (`Rescaling`, `Normalization`). Some encoders do, and then
 * the layers of a file must do just what ours do; of all others it is done here before the network.
 */
import type { Encoder } from "../../layers/networks/encoder.ts";
import { INPUT } from "../../layers/networks/layer.ts";
import type { Layer, LayerOperation } from "../../layers/networks/layer.ts";
import type { HostTensor, NamedTensors } from "../tensors.ts";
import { WeightsError } from "../weights-error.ts";
import { MODEL_INPUT, type ConfigLayer } from "./keras-config.ts";
import { preparation } from "./misfit.ts";

/** What follows the photo until the first layer that does something else. */
export interface Prepared<L> {
  readonly steps: readonly L[];
  /** The others; what read the last step reads the photo. */
  readonly rest: readonly L[];
}

/** The layers of a network of ours, and those that prepare its photos apart. */
export const preparedLayers = (layers: readonly Layer[]): Prepared<Layer> =>
  split(layers, INPUT, ({ name, operation }) => [name, isAffine(operation.kind)]);

/** The same of a model's configuration. */
export const preparedConfig = (layers: readonly ConfigLayer[]): Prepared<ConfigLayer> =>
  split(layers, MODEL_INPUT, ({ path, className }) => [path, isAffine(className)]);

const isAffine = (kind: string): boolean => kind === "Rescaling" || kind === "Normalization";

function split<L extends { readonly inputs: readonly string[] }>(
  layers: readonly L[],
  photo: string,
  about: (layer: L) => [name: string, isStep: boolean],
): Prepared<L> {
  const steps: L[] = [];
  let last = photo;
  for (let found = true; found;) {
    const readers = layers.filter(({ inputs }) => inputs.includes(last));
    const [name, isStep] = readers.length === 1 ? about(readers[0]) : [last, false];
    found = isStep && !steps.includes(readers[0]);
    if (found) steps.push(readers[0]);
    if (found) last = name;
  }
  const rest = layers
    .filter((layer) => !steps.includes(layer))
    .map((layer) => ({ ...layer, inputs: layer.inputs.map((input) => (input === last ? photo : input)) }));
  return { steps, rest };
}

/** `x · scale + offset`, one of each a channel. */
interface Affine {
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

const CHANNELS = [0, 1, 2];
/** How far rounding to f32, and Keras's own, may move a number. */
const TOLERANCE = 1e-5;

/**
 * Holds what a model does to its photos against what the encoder does here.
 *
 * @throws {WeightsError} where it is something else
 */
export function checkPrepared(
  steps: readonly ConfigLayer[],
  { encoder, tensors, source }: { encoder: Encoder; tensors: NamedTensors; source: string },
): void {
  const ours = composed(preparedLayers(encoder.layers()).steps.map(({ operation }) => affineOf(operation)));
  const theirs = composed(steps.map((step) => affineOfConfig(step, tensors)));
  if (theirs !== undefined && ours !== undefined && isSame(ours, theirs)) return;
  throw otherwisePrepared(source, encoder, theirs);
}

/**
 * The same where there is no configuration: by what the file's `Normalization` has learnt. Keras's own weights have the
 * deviation for its variance, since their model divides by its root once more.
 *
 * @param others the weights that belong to no layer that is known
 */
export function checkLearntPreparation(
  others: readonly { readonly name: string }[],
  { encoder, tensors, source }: { encoder: Encoder; tensors: NamedTensors; source: string },
): void {
  const found = others.find(({ name }) => /(^|\/)normalization(_\d+)?\/(mean|vars\/0)$/.test(name));
  if (found === undefined) return;
  const path = found.name.replace(/\/(mean|vars\/0)$/, "");
  const steps = preparedLayers(encoder.layers()).steps.map(({ operation }) => operation);
  const ours = steps.find((operation) => operation.kind === "Normalization");
  if (ours === undefined) throw preparation(source, path, "Normalization");
  const [mean, variance] = [tensors.get(found.name), learnt(path, "variance", tensors)];
  const isMean = mean !== undefined && ours.mean.every((value, c) => isNear(mean.data[c], value));
  const whole = composed(steps.map(affineOf))!;
  const scaled = composed(steps.slice(0, steps.indexOf(ours)).map(affineOf))!;
  const fits = (c: number): boolean => {
    const given = variance?.data[c] ?? Number.NaN;
    return isNear(given, ours.variance[c]) || isNear(1 / Math.sqrt(given), whole.scale[c] / scaled.scale[c]);
  };
  if (!isMean || !CHANNELS.every(fits)) throw otherwisePrepared(source, encoder, undefined);
}

function otherwisePrepared(source: string, { title }: Encoder, theirs: Affine | undefined): WeightsError {
  const numbers = (values: readonly number[]): string =>
    values.map((value) => value.toPrecision(4)).join(", ");
  const how = theirs && ` (by channel, times ${numbers(theirs.scale)}, plus ${numbers(theirs.offset)})`;
  return new WeightsError(
    `${source} prepares its photos otherwise than ${title} trained on ImageNet does${how ?? ""}: give its Rescaling and ` +
      `Normalization the numbers of keras.applications.${title}(weights="imagenet") and save it again.`,
  );
}

function composed(steps: readonly (Affine | undefined)[]): Affine | undefined {
  let whole: Affine = { scale: [1, 1, 1], offset: [0, 0, 0] };
  for (const step of steps) {
    if (step === undefined) return undefined;
    const { scale, offset } = step;
    whole = {
      scale: whole.scale.map((value, c) => value * scale[c]),
      offset: whole.offset.map((value, c) => value * scale[c] + offset[c]),
    };
  }
  return whole;
}

/** What a layer that prepares photos does; undefined for every other. */
export function affineOf(operation: LayerOperation): Affine | undefined {
  if (operation.kind === "Rescaling") return rescaling(operation.scale, operation.offset);
  return operation.kind === "Normalization" ? normalization(operation.mean, operation.variance) : undefined;
}

function affineOfConfig(
  { path, countedPath, className, config }: ConfigLayer,
  tensors: NamedTensors,
): Affine | undefined {
  if (className === "Rescaling") return rescaling(config.scale, config.offset ?? 0);
  if (config.invert === true) return undefined;
  const values = (role: "mean" | "variance"): unknown => {
    const tensor = learnt(path, role, tensors) ?? learnt(countedPath, role, tensors);
    return tensor === undefined ? flat(config[role]) : [...tensor.data];
  };
  return normalization(values("mean"), values("variance"));
}

/** A weight of a `Normalization`, by name or as Keras 3 counts them. */
function learnt(path: string, role: "mean" | "variance", tensors: NamedTensors): HostTensor | undefined {
  const counted = `vars/${role === "mean" ? 0 : 1}`;
  const layers = path
    .split("/")
    .flatMap((part) => ["layers", part])
    .join("/");
  return [`${path}/${role}`, `${path}/${counted}`, `${layers}/${counted}`]
    .map((name) => tensors.get(name))
    .find((tensor) => tensor !== undefined);
}

function rescaling(scale: unknown, offset: unknown): Affine | undefined {
  const [by, plus] = [threeOf(scale), threeOf(offset)];
  return by && plus && { scale: by, offset: plus };
}

/** As Keras does it: never by less than its smallest deviation. */
function normalization(mean: unknown, variance: unknown): Affine | undefined {
  const [centre, spread] = [threeOf(mean), threeOf(variance)];
  if (centre === undefined || spread === undefined) return undefined;
  const scale = spread.map((value) => 1 / Math.max(Math.sqrt(value), 1e-7));
  return { scale, offset: centre.map((value, c) => -value * scale[c]) };
}

/** A number for all channels, or one for each. */
function threeOf(value: unknown): number[] | undefined {
  const values = Array.isArray(value) ? value : CHANNELS.map(() => value);
  const isWhole =
    values.length === 3 && values.every((item) => typeof item === "number" && Number.isFinite(item));
  return isWhole ? (values as number[]) : undefined;
}

const flat = (value: unknown): unknown => (Array.isArray(value) ? value.flat(Infinity) : value);

const isNear = (a: number, b: number): boolean =>
  Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));

function isSame(a: Affine, b: Affine): boolean {
  // Where a pixel of 0 … 255 is of that size, an offset is as good as exact within this much of the whole range.
  const range = (c: number): number => Math.max(Math.abs(a.offset[c]), Math.abs(a.scale[c]) * 255);
  return CHANNELS.every(
    (c) => isNear(a.scale[c], b.scale[c]) && Math.abs(a.offset[c] - b.offset[c]) <= TOLERANCE * range(c),
  );
}
