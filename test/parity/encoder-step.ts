import { toSize } from "../../src/image-size.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { gradients as gradientsOf } from "../../src/graph/gradients.ts";
import { Graph, partValues } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { sparseSoftmaxCrossEntropy } from "../../src/graph/ops/sparse-softmax-cross-entropy.ts";
import { compile } from "../../src/graph/compile.ts";
import { Variables } from "../../src/graph/variables.ts";
import { unet } from "../../src/layers/unet.ts";
import type { Encoder } from "../../src/layers/networks/encoder.ts";
import type { Layer } from "../../src/layers/networks/layer.ts";
import { unetLayers } from "../../src/layers/networks/unet.ts";
import { summaryError } from "../helpers/tensor-summary.ts";
import { drawnLabels, drawnPhotos, drawnVariables } from "../layers/networks/drawn.ts";
import { makeRow } from "./row.ts";
import type { Row } from "./row.ts";
import { gradientsWithTfjsInDouble } from "./tfjs-double.ts";
import type { TfjsTask } from "./tfjs-training.ts";

const LIMIT = 1e-4;
const PHOTOS = 2;
const CLASSES = 5;
/** He's uniform initialization. */
const GAIN = 6;
/**
 * Of the head's kernel, so that no class is all but certain: where the network says the same of every pixel so do the gradients, and
 * their batch norms leave little of them but rounding.
 */
const HEAD_GAIN = GAIN / 256;
/**
 * Gradients of biases and betas are sums over all pixels that cancel where a batch norm follows, but for rounding: errors of theirs are
 * measured by at least this share of the largest gradient.
 */
const LEAST = 1e-3;

/** An encoder's U-Net on two photos: the loss of a fine-tuning step and all its gradients, against tfjs in double precision. */
export async function compareEncoderStep(gpu: Gpu, encoder: Encoder): Promise<Row> {
  const network = withoutDropout(encoder);
  const { imageSize, image } = photosFor(encoder);
  const layers = unetLayers({ encoder: network, classes: CLASSES, decoder: "transpose" });
  const values = drawnValues(layers);
  const task: TfjsTask = {
    encoder: encoder.name,
    labels: drawnLabels(imageSize, { classes: CLASSES, photos: PHOTOS }),
    ...{ image, imageSize, classes: CLASSES },
    variables: new Map(values.map(([name, { data }]) => [name, data])),
  };
  const [ours, theirs] = [await step(gpu, network, task, values), await gradientsWithTfjsInDouble(task)];

  const largest = Math.max(...Object.values(theirs.gradients).map(({ maximum }) => maximum));
  const errors = Object.entries(theirs.gradients).map(([name, expected]) => {
    const gradient = ours.gradients.get(name);
    const least = /\/(bias|beta)$/.test(name) ? LEAST * largest : 0;
    return { name, error: gradient ? summaryError(gradient, expected, least) : Infinity };
  });
  const worst = errors.reduce((a, b) => (b.error > a.error ? b : a));
  const same = ours.gradients.size === errors.length;
  return makeRow(
    {
      part: "encoders",
      case: `${encoder.title} U-Net, a fine-tuning step`,
      shape: `image ${PHOTOS}×${imageSize}×${imageSize}×3`,
      forward: Math.abs(ours.loss - theirs.loss) / theirs.loss,
      others: { gradients: worst.error },
      limit: LIMIT,
      note: `loss ${ours.loss.toFixed(6)}, tfjs ${theirs.loss.toFixed(6)}; ${errors.length} gradients, the worst of ${worst.name}`,
    },
    same,
  );
}

/**
 * The smallest photos of which the deepest batch norms see more than two values a channel. InceptionV3's last blocks would be 2×2
 * of photos of 128²: an average of 3×3 pixels around each is the same for all four, and a norm of one number a photo leaves ±1
 * of it, whatever it is, and of its gradient rounding alone. There tfjs in single precision is 1.2e-4 from itself in double.
 *
 * A max pool's gradient goes to the largest pixel of a window, or to another where rounding makes that one larger. InceptionV3
 * has more windows than any other encoder, and in the first two photos two pixels of `mixed2` are but three units in the last
 * place apart: its photos are the next two, where none are closer than 2.5e-6 of the larger.
 */
function photosFor({ smallestImage, preprocessing }: Encoder): {
  readonly imageSize: number;
  readonly image: Float32Array;
} {
  const [imageSize, first] = smallestImage > 64 ? [160, PHOTOS] : [64, 0];
  const drawn = drawnPhotos(imageSize, { inside: preprocessing === "inside", photos: first + PHOTOS });
  return { imageSize, image: drawn.slice(first * imageSize ** 2 * 3) };
}

/** A part of a network that has ReLUs is kept away from their kinks; one of smooth activations has nothing to gain by it. */
function drawnValues(layers: readonly Layer[]): Value[] {
  const isKinked = ({ operation }: Layer): boolean =>
    operation.kind === "Activation" && ["relu", "relu6"].includes(operation.activation);
  const kinked = new Set(layers.filter(isKinked).map(({ part }) => part));
  return layers.flatMap((layer) => {
    const values = [...drawnVariables([layer], layer.part === "head" ? HEAD_GAIN : GAIN)];
    return kinked.has(layer.part) ? values.map(awayFromKinks) : values;
  });
}

/**
 * Betas of 3 and −7.5 in place of small ones, and half of each gamma. A ReLU's gradient jumps where its input is 0, and an input
 * that rounding moves across is a pixel of gradient more or less: this way hardly any is near 0, nor is a sum of two. It costs
 * precision: what a batch norm then subtracts is larger than what it leaves.
 */
function awayFromKinks([name, { shape, data }]: Value): Value {
  if (name.endsWith("/beta")) return [name, { shape, data: data.map((beta) => (beta > 0 ? 3 : -7.5)) }];
  return [name, { shape, data: name.endsWith("/gamma") ? data.map((gamma) => gamma / 2) : data }];
}

type Value = [name: string, { readonly shape: readonly number[]; readonly data: Float32Array }];

interface Step {
  readonly loss: number;
  readonly gradients: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly values: Float32Array }
  >;
}

async function step(
  gpu: Gpu,
  encoder: Encoder,
  { image, labels, imageSize, classes }: TfjsTask,
  values: readonly Value[],
): Promise<Step> {
  const graph = new Graph();
  const { height, width } = toSize(imageSize);
  const photos = graph.input("image", [PHOTOS, height, width, 3]);
  const logits = unet(photos, { classes, encoder, training: true, trainableEncoder: true });
  const target = graph.input("labels", [PHOTOS, height, width], "u32");
  const loss = sparseSoftmaxCrossEntropy(logits, target);
  const found = gradientsOf(loss);
  const named = [...found].map(([variable, gradient]) => [variable.name, gradient] as const);
  const outputs: Record<string, Tensor> = { ...Object.fromEntries(named), loss };
  const variables = new Variables(gpu, { values });
  const program = await compile(gpu, { outputs, variables });
  try {
    const results = await program.run({ image: image as Float32Array, labels });
    const gradients = new Map<string, { shape: readonly number[]; values: Float32Array }>();
    for (const variable of found.keys()) {
      const parts = partValues(variable, results[variable.name] as Float32Array);
      for (const { name, ...part } of parts) gradients.set(name, part);
    }
    return { loss: results.loss[0], gradients };
  } finally {
    program.destroy();
    variables.destroy();
  }
}

/** What drops numbers at random takes other ones in every program: left out on both sides. */
function withoutDropout(encoder: Encoder): Encoder {
  const layers = (): ReturnType<Encoder["layers"]> =>
    encoder
      .layers()
      .map((layer) =>
        layer.operation.kind === "Dropout"
          ? { ...layer, operation: { kind: "Activation", activation: "linear" } }
          : layer,
      );
  return { ...encoder, layers };
}
