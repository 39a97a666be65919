import { randomUniform } from "../../graph/initializers.ts";
import type { Initializer } from "../../graph/initializers.ts";
import { embedding as embed } from "../../graph/ops/gather.ts";
import { checkCount, defineLayer } from "./layer.ts";
import type { Layer, LayerOptions } from "./layer.ts";

/** What {@link embedding} takes besides its extents. */
export interface EmbeddingOptions extends LayerOptions {
  /** `randomUniform()`, ±0.05, by default. */
  readonly embeddingsInitializer?: Initializer | undefined;
}

/**
 * Keras `Embedding`: u32 indices below `inputDim`, `[..]`, to their vectors, `[.., outputDim]`, with `embeddings` `[inputDim, outputDim]`. An
 * index that is not below it gives zeros.
 *
 * @throws Error when an extent is no whole number from 1; when it is applied to anything but u32.
 */
export function embedding(
  inputDim: number,
  outputDim: number,
  { embeddingsInitializer = randomUniform(), ...options }: EmbeddingOptions = {},
): Layer {
  checkCount("embedding", "inputDim", inputDim);
  checkCount("embedding", "outputDim", outputDim);
  return defineLayer("embedding", options, (indices, scope) =>
    embed(scope.parameter("embeddings", [inputDim, outputDim], embeddingsInitializer), indices),
  );
}
