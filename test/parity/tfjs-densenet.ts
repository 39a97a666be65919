import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs-core";
import { layers, loadLayersModel } from "@tensorflow/tfjs-layers";
import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";

interface ModelJson {
  readonly modelTopology: { model_config: { config: { layers: { class_name: string; config: object }[] } } };
  readonly weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
}

/**
 * Makes the layers model in `folder` with the active backend, for images of any size; without `weights`, their numbers
 * are left to be assigned.
 */
export async function loadTfjsDenseNet(folder: string, { weights = true } = {}): Promise<LayersModel> {
  const json = JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as ModelJson;
  const { modelTopology, weightsManifest } = json;
  const input = modelTopology.model_config.config.layers.find(
    ({ class_name }) => class_name === "InputLayer",
  );
  Object.assign(input!.config, { batch_input_shape: [null, null, null, 3] });
  if (!weights) return loadLayersModel({ load: () => Promise.resolve({ modelTopology }) });

  const files = weightsManifest.flatMap(({ paths }) => paths);
  const shards = await Promise.all(files.map((file) => readFile(join(folder, file))));
  const { buffer, byteOffset, byteLength } = Buffer.concat(shards);
  const weightData = buffer.slice(byteOffset, byteOffset + byteLength);
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  return loadLayersModel({ load: () => Promise.resolve({ modelTopology, weightSpecs, weightData }) });
}

/**
 * A layer's output by its Keras name. Keras once left out the ReLU after the last batch norm, and a model exported then
 * has none: it is put there, and the top on it, as Keras has had it since 2018.
 */
export function outputOf(model: LayersModel, name: string): SymbolicTensor {
  const apply = (layer: string, to: SymbolicTensor): SymbolicTensor =>
    model.getLayer(layer).apply(to) as SymbolicTensor;
  const hasRelu = model.layers.some((layer) => layer.name === "relu");
  if (!hasRelu && name === "relu") return layers.reLU().apply(model.getLayer("bn").output) as SymbolicTensor;
  if (!hasRelu && name === "fc1000") return apply(name, apply("avg_pool", outputOf(model, "relu")));
  return model.getLayer(name).output as SymbolicTensor;
}
