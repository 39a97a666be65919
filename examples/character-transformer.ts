/** @file A small GPT: a decoder-only transformer with pre-norm blocks (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"). */
import { add, randomNormal } from "bespoke";
import type { Tensor } from "bespoke";
import {
  dense,
  dropout,
  embedding,
  layerNormalization,
  multiHeadAttention,
  sequential,
} from "bespoke/layers";
import type { CallOptions, Layer } from "bespoke/layers";

export interface TransformerOptions {
  /** How many tokens there are. */
  readonly vocabulary: number;
  /** Tokens of a sequence, the furthest that the network looks back. */
  readonly length: number;
  readonly channels: number;
  readonly heads: number;
  readonly blocks: number;
  /** Share of what becomes 0 in training, behind the embeddings, attention and each MLP; none by default. */
  readonly rate?: number;
}

/** From tokens, u32 `[N, length]`, to logits of what follows each of them, `[N, length, vocabulary]`. */
export type Transformer = (tokens: Tensor<"u32">, call?: CallOptions) => Tensor<"f32">;

export function transformer(options: TransformerOptions): Transformer {
  const { vocabulary, length, channels, heads, blocks, rate = 0 } = options;
  const init = randomNormal(0.02);
  // What is added to the sum that runs through all blocks is smaller the more of them there are.
  const added = randomNormal(0.02 / Math.sqrt(2 * blocks));
  const epsilon = 1e-5;
  const tokenVectors = embedding(vocabulary, channels, { embeddingsInitializer: init });
  const drop = dropout(rate);
  const layers = Array.from({ length: blocks }, (): readonly Layer[] => [
    layerNormalization({ epsilon }),
    multiHeadAttention(heads, channels / heads, { useCausalMask: true, kernelInitializer: init }),
    layerNormalization({ epsilon }),
    sequential([
      dense(4 * channels, { activation: "gelu_tanh", kernelInitializer: init }),
      dense(channels, { kernelInitializer: added }),
    ]),
    dropout(rate),
  ]);
  const last = sequential([layerNormalization({ epsilon }), dense(vocabulary, { kernelInitializer: init })]);
  return (tokens, call) => {
    const positions = tokens.graph.parameter("positions", [length, channels], init);
    let x = drop(add(tokenVectors(tokens, call), positions), call);
    for (const [norm, attention, norm2, mlp, drop] of layers) {
      x = add(x, drop(attention(norm(x, call), call), call));
      x = add(x, drop(mlp(norm2(x, call), call), call));
    }
    return last(x, call);
  };
}
