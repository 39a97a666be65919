/** @file The training step of examples/character-transformer.ts with tfjs's ops, from the same first values. */
import * as tf from "@tensorflow/tfjs-core";
// For its side effect: it registers the gradients of tfjs-core's ops.
import "@tensorflow/tfjs-layers";
import type { TransformerOptions } from "../../examples/character-transformer.ts";
import type { VariableValues } from "../../src/graph/variables.ts";

export interface TfjsTransformer {
  /** One step of Adam; the loss before it. */
  step(): tf.Scalar;
  dispose(): void;
}

export interface TfjsTransformerJob {
  readonly options: TransformerOptions;
  readonly batch: number;
  readonly tokens: Uint32Array;
  readonly labels: Uint32Array;
  readonly learningRate: number;
  /** By our names. */
  readonly variables: ReadonlyMap<string, VariableValues>;
}

export function startTfjsTransformer(job: TfjsTransformerJob): TfjsTransformer {
  const { options, batch } = job;
  const { vocabulary, length, channels, heads, blocks } = options;
  const variables = new Map(
    [...job.variables].map(([name, { shape, data }]) => [
      name,
      tf.variable(tf.tensor(data, [...shape]), true, name),
    ]),
  );
  const get = (name: string): tf.Tensor => variables.get(name)!;
  const numbered = (name: string, number: number): string => (number === 0 ? name : `${name}_${number}`);
  const [tokens, labels] = [job.tokens, job.labels].map((ids) => tf.tensor1d(Int32Array.from(ids), "int32"));
  const oneHot = tf.keep(tf.oneHot(labels, vocabulary));
  const mask = tf.keep(tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)), -1e9));
  const rows = batch * length;

  const dense = (x: tf.Tensor, name: string, to: number): tf.Tensor =>
    tf.add(
      tf.matMul(x as tf.Tensor2D, tf.reshape(get(`${name}/kernel`), [x.shape[1]!, to])),
      tf.reshape(get(`${name}/bias`), [to]),
    );
  const norm = (x: tf.Tensor, number: number): tf.Tensor => {
    const name = numbered("layer_normalization", number);
    const { mean, variance } = tf.moments(x, -1, true);
    const normalized = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
    return tf.add(tf.mul(normalized, get(`${name}/gamma`)), get(`${name}/beta`));
  };
  const gelu = (x: tf.Tensor): tf.Tensor => {
    const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.pow(x, 3))));
    return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(inner)));
  };
  const size = channels / heads;
  const attention = (x: tf.Tensor, number: number): tf.Tensor => {
    const name = numbered("multi_head_attention", number);
    const split = (role: string): tf.Tensor =>
      tf.transpose(
        tf.reshape(dense(x, `${name}/${role}`, channels), [batch, length, heads, size]),
        [0, 2, 1, 3],
      );
    const scores = tf.mul(tf.matMul(split("query"), split("key"), false, true), 1 / Math.sqrt(size));
    const weights = tf.softmax(tf.add(scores, mask));
    const attended = tf.transpose(tf.matMul(weights, split("value")), [0, 2, 1, 3]);
    return dense(tf.reshape(attended, [rows, channels]), `${name}/attention_output`, channels);
  };
  const loss = (): tf.Scalar => {
    const vectors = tf.reshape(tf.gather(get("embedding/embeddings"), tokens), [batch, length, channels]);
    let x: tf.Tensor = tf.reshape(tf.add(vectors, get("positions")), [rows, channels]);
    for (let block = 0; block < blocks; block++) {
      x = tf.add(x, attention(norm(x, 2 * block), block));
      const hidden = gelu(dense(norm(x, 2 * block + 1), numbered("dense", 2 * block), 4 * channels));
      x = tf.add(x, dense(hidden, numbered("dense", 2 * block + 1), channels));
    }
    const logits = dense(norm(x, 2 * blocks), numbered("dense", 2 * blocks), vocabulary);
    return tf.mean(tf.neg(tf.sum(tf.mul(oneHot, tf.logSoftmax(logits)), -1)));
  };
  const optimizer = tf.train.adam(job.learningRate);
  return {
    step: () => optimizer.minimize(loss, true)!,
    dispose() {
      tf.dispose([...variables.values(), tokens, labels, oneHot, mask]);
      optimizer.dispose();
    },
  };
}
