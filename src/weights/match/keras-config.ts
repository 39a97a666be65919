/**
 * @file A Keras model's configuration (`config.json` of `.keras`, the attribute `model_config` of `.h5`, `modelTopology` of
 * tfjs), flattened: models within models are replaced by their layers, and what does nothing when a model is used (input
 * layers, dropout, augmentation) is left out.
 */

/** A layer as the configuration has it. */
export interface ConfigLayer {
  /** With the names of the models it lies in: `model/conv1/conv`, and where tensors are concerned its one result. */
  readonly path: string;
  /** As Keras 3's files count it within each model, by class: `functional/conv2d_12`. */
  readonly countedPath: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The paths of the layers it reads, or {@link MODEL_INPUT}. */
  readonly inputs: readonly string[];
}

/** What the first layers read. */
export const MODEL_INPUT = "";

/** A configuration that is no chain of layers that can be followed; the message says what is odd about it. */
export class ConfigProblem extends Error {}

type Json = Readonly<Record<string, unknown>>;

const MODELS = new Set(["Functional", "Model", "Sequential"]);
const IDENTITIES = new Set([
  ...["InputLayer", "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout"],
  // Augmentation: "inactive at inference time" (keras.io/api/layers/preprocessing_layers/image_augmentation). Not
  // RandomCrop, which resizes then.
  ...["RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomHeight", "RandomWidth"],
  ...[
    "RandomBrightness",
    "RandomContrast",
    "RandomHue",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
  ],
]);
const DEEPEST = 8;
/** What follows a convolution that has a function of its own: here that is a layer for itself. */
const ACTIVATION = "activation";

/** A model as its configuration has it. */
export interface ConfigModel {
  /** In an order in which they can run. */
  readonly layers: readonly ConfigLayer[];
  /** The paths of the layers whose results are the model's. */
  readonly outputs: readonly string[];
}

/**
 * The layers of a model; undefined for what is not a model of Keras's own kinds (a class that somebody wrote says nothing
 * of its layers).
 *
 * @param json parsed, otherwise unchecked
 * @throws {ConfigProblem} where layers read what is not there, or are used more than once
 */
export function configModel(json: unknown): ConfigModel | undefined {
  const model = isRecord(json) && isRecord(json.model_config) ? json.model_config : json;
  if (!isRecord(model) || !MODELS.has(String(model.class_name))) return undefined;
  const layers: ConfigLayer[] = [];
  const outputs = expand(model, { path: "", countedPath: "" }, [MODEL_INPUT], layers, 0);
  return { layers, outputs };
}

/** What distinguishes the layers of one model from another's. */
interface Place {
  /** Ends with a slash within a model. */
  readonly path: string;
  readonly countedPath: string;
}

/** Adds a model's layers to `found` and returns where its results come from. */
function expand(
  model: Json,
  place: Place,
  inputs: readonly string[],
  found: ConfigLayer[],
  depth: number,
): readonly string[] {
  if (depth > DEEPEST) throw new ConfigProblem("its models are nested too deeply");
  const config = model.config;
  const layers = Array.isArray(config) ? config : isRecord(config) ? config.layers : undefined;
  if (!Array.isArray(layers) || !layers.every(isRecord))
    throw new ConfigProblem("a model of it has no layers");
  const sequential = model.class_name === "Sequential";
  const inputNames = sequential || !isRecord(config) ? [] : places(config.input_layers).map(([name]) => name);
  const results = new Map<string, readonly string[]>();
  const counters = new Map<string, number>();
  let previous = inputs;
  for (const layer of layers) {
    const name = nameOf(layer);
    const className = String(layer.class_name);
    const counted = count(counters, className, sequential);
    const own: Place = { path: place.path + name, countedPath: place.countedPath + counted };
    const at = inputNames.indexOf(name);
    const reads = at !== -1 ? [resultOf(inputs, at)] : sequential ? previous : readBy(layer, results);
    const result = apply(layer, own, reads, found, depth);
    if (results.has(name)) throw new ConfigProblem(`two layers of it are called "${shorten(name)}"`);
    results.set(name, result);
    previous = result;
  }
  if (sequential || !isRecord(config)) return previous;
  return places(config.output_layers).map(([name, tensor]) => resultOf(results.get(name) ?? [], tensor));
}

/** Adds one layer, or all of a model, and returns where its results come from. */
function apply(
  layer: Json,
  own: Place,
  reads: readonly string[],
  found: ConfigLayer[],
  depth: number,
): readonly string[] {
  const className = String(layer.class_name);
  if (MODELS.has(className)) {
    const within = { path: `${own.path}/`, countedPath: `${own.countedPath}/` };
    return expand(layer, within, reads, found, depth + 1);
  }
  const config = isRecord(layer.config) ? layer.config : {};
  if (IDENTITIES.has(className) || (className === "Activation" && config.activation === "linear"))
    return reads;
  found.push({ path: own.path, countedPath: own.countedPath, className, config, inputs: reads });
  const { activation } = config;
  if (!/Conv2D(Transpose)?$/.test(className) || activation == null || activation === "linear")
    return [own.path];
  const after = `${own.path}/${ACTIVATION}`;
  found.push({
    path: after,
    countedPath: `${own.countedPath}/${ACTIVATION}`,
    className: "Activation",
    config: { activation },
    inputs: [own.path],
  });
  return [after];
}

/** The layers that a layer of a functional model reads. */
function readBy(layer: Json, results: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const nodes = Array.isArray(layer.inbound_nodes) ? (layer.inbound_nodes as unknown[]) : [];
  if (nodes.length !== 1) {
    throw new ConfigProblem(`its layer "${shorten(nameOf(layer))}" is used ${nodes.length} times`);
  }
  const tensors: [string, number][] = [];
  collect(nodes[0], tensors);
  return tensors.map(([name, tensor]) => resultOf(results.get(name) ?? [], tensor));
}

/** The tensors of a node: Keras 2's `[name, node, tensor, …]`, or Keras 3's `keras_history` somewhere in the arguments. */
function collect(node: unknown, tensors: [string, number][]): void {
  if (Array.isArray(node)) {
    if (isPlace(node)) tensors.push([node[0], node[2]]);
    else node.forEach((item) => collect(item, tensors));
  } else if (isRecord(node)) {
    const history = isRecord(node.config) ? node.config.keras_history : undefined;
    if (isPlace(history)) tensors.push([history[0], history[2]]);
    else Object.values(node).forEach((item) => collect(item, tensors));
  }
}

/** `input_layers` and `output_layers`: one place, or a list of them. */
function places(value: unknown): [string, number][] {
  if (isPlace(value)) return [[value[0], value[2]]];
  return Array.isArray(value) ? value.filter(isPlace).map(([name, , tensor]) => [name, tensor]) : [];
}

function isPlace(value: unknown): value is [string, number, number] {
  return (
    Array.isArray(value) &&
    typeof value[0] === "string" &&
    Number.isInteger(value[1]) &&
    Number.isInteger(value[2])
  );
}

function resultOf(results: readonly string[], index: number): string {
  const result = results[index];
  if (result === undefined) throw new ConfigProblem("a layer of it reads what is not there");
  return result;
}

function nameOf(layer: Json): string {
  const config = isRecord(layer.config) ? layer.config : {};
  return String(layer.name ?? config.name ?? layer.class_name);
}

/** The name by which Keras 3's files know a layer: its class, and how many of it came before. */
function count(counters: Map<string, number>, className: string, sequential: boolean): string {
  const stem = className
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
  // The layers of a Sequential do not count its input among them.
  if (sequential && className === "InputLayer") return stem;
  const before = counters.get(stem) ?? 0;
  counters.set(stem, before + 1);
  return before === 0 ? stem : `${stem}_${before}`;
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shorten(name: string): string {
  return name.length <= 100 ? name : `${name.slice(0, 97)}...`;
}
