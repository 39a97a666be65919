import { add, concat, fill, gradients, Graph, rmsprop, scale } from "../../index.ts";
import type { Size } from "../../data/resize.ts";
import type { Goals, Tensor } from "../../index.ts";
import { skipsOf, unetDecoder } from "../../networks.ts";
import type { Decoder, Encoder, Skips } from "../../networks.ts";
import { sparseSoftmaxCrossEntropy } from "../../nn.ts";

export interface FineTuningSpec {
  /** Of the photo. */
  readonly imageSize: Size;
  readonly classes: number;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
}

/** How much what is to stay counts beside what was painted; see {@link fineTuningStep}. */
const KEPT_SHARE = 0.5;
/** The logit of a class that nothing is: its share of the softmax is 0 in float32. */
const NEVER = -1e4;

/** What the input is called that takes a skip of the encoder. */
export const skipInput = (name: string): string => `skip_${name}`;

/**
 * One step of RMSprop on one corrected photo, for the decoder; the encoder is frozen and not even there: inputs are its
 * skips, `skip_<name>`, `painted` and `kept` `[1, H, W]` (u32), `painted_factor` `[]` (all pixels by painted ones),
 * `class_weights` ({@link fineTuningClassWeights}) and `learning_rate` `[]`. Output: `loss`.
 *
 * The loss is the mean cross-entropy of the pixels that were painted and, half as much, that of all others with the labels
 * they had: the brush alone would teach that everything is of its class. A label that equals the number of classes leaves its
 * pixel out of a mean: it is an extra class of weight 0 that the network gives no chance.
 *
 * The batch norms keep their moving statistics. One photo's own statistics are not those with which the photo is labelled
 * afterwards: the loss would fall and the labels stay, for ten steps hardly move statistics with Keras's momentum. With the moving
 * ones the network that is trained is the network that labels, and γ and β are learned like every other weight.
 */
export function fineTuningStep({ imageSize, classes, encoder, decoder }: FineTuningSpec): Goals {
  const graph = new Graph();
  const shape = [1, imageSize.height, imageSize.width];
  const logits = unetDecoder(skipInputs(graph, encoder, imageSize), {
    ...{ classes, training: false, encoder, decoder },
  });
  const withNone = concat([logits, fill(graph, [...shape, 1], NEVER)]);
  const classWeights = graph.input("class_weights", [classes + 1]);
  const meanOver = (labels: string): Tensor =>
    sparseSoftmaxCrossEntropy(withNone, graph.input(labels, shape, "u32"), { classWeights });
  const painted = scale(meanOver("painted"), graph.input("painted_factor", []));
  const loss = add(painted, scale(meanOver("kept"), KEPT_SHARE));
  const learningRate = graph.input("learning_rate", []);
  return { outputs: { loss }, updates: rmsprop(gradients(loss), { learningRate, name: "rmsprop_demo" }) };
}

/** Of `classes` classes and the extra one, which does not count. */
export const fineTuningClassWeights = (classes: number): Float32Array =>
  Float32Array.from({ length: classes + 1 }, (_, label) => (label < classes ? 1 : 0));

function skipInputs(graph: Graph, encoder: Encoder, { height, width }: Size): Skips {
  const entries = skipsOf(encoder).map(({ name, stride, channels }): [string, Tensor] => [
    name,
    graph.input(skipInput(name), [1, height / stride, width / stride, channels]),
  ]);
  return Object.fromEntries(entries);
}
