import type { Gpu } from "../../src/gpu/gpu.ts";
import { seededRandom } from "../../src/graph/initializers.ts";
import { Variables } from "../../src/graph/variables.ts";
import { compileEvaluator } from "../../src/train/phase/programs.ts";
import type { NetworkSpec } from "../../src/train/phase/programs.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import type { Metadata, NamedTensors } from "../../src/weights/tensors.ts";

export const TINY_CLASSES = ["null", "hat", "coat", "boots", "bag"];

/** What a checkpoint of the tiny model says of itself. */
export const TINY_METADATA: Metadata = {
  epoch: "1",
  steps: "1",
  image_size: "32",
  classes: JSON.stringify(TINY_CLASSES),
  decoder: "transpose",
  normalization: "unit",
};

/** The tensors of a network of random weights that tells classes apart, five of them here and there. */
export async function tinyModel(
  gpu: Gpu,
  decoder: NetworkSpec["decoder"] = "transpose",
  classes = TINY_CLASSES.length,
): Promise<NamedTensors> {
  const variables = new Variables(gpu, { seed: 5 });
  const evaluator = await compileEvaluator(gpu, variables, {
    batchSize: 1,
    imageSize: 32,
    classes,
    momentum: 0.9,
    decoder,
  });
  try {
    const tensors: NamedTensors = await variables.readAll();
    // Untrained, the first layer's values die away or grow along 121 others; the last ones' scale is made up for.
    const random = seededRandom(1, "head");
    const kernel = tensors.get("head/kernel")!;
    tensors.set("head/kernel", { ...kernel, data: Float32Array.from(kernel.data, () => random() - 0.5) });
    return tensors;
  } finally {
    evaluator.destroy();
    variables.destroy();
  }
}

/** Writes a checkpoint as the trainer does. */
export async function saveTinyModel(
  gpu: Gpu,
  file: string,
  metadata: Metadata = TINY_METADATA,
): Promise<void> {
  await writeSafetensors(file, await tinyModel(gpu), metadata);
}
