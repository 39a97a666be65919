/**
 * @file Files that Keras and torchvision themselves wrote, made by the two scripts beside this one in the folder at
 * BESPOKE_PEER_MODELS: all of a network's files hold the same weights, and what they predict is what their writer did.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Graph, type Tensor } from "../../../src/graph/graph.ts";
import { compile } from "../../../src/graph/compile.ts";
import { Variables } from "../../../src/graph/variables.ts";
import type { Decoder } from "../../../src/layers/networks/decoder.ts";
import { encode } from "../../../src/layers/encoder.ts";
import { denseNet121 } from "../../../src/layers/networks/densenet.ts";
import { unet } from "../../../src/layers/unet.ts";
import { restoreWeights } from "../../../src/train/checkpoint.ts";
import { loadWeights } from "../../../src/weights/load.ts";
import { relativeError } from "../../parity/row.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { checksums } from "../random-network.ts";
import { readFloats } from "./floats.ts";

const SIZE = 64;
const CLASSES = 59;
const LIMIT = 1e-4;
/** How many each network has. */
const WEIGHTS = { transpose: 626, nearest: 626, bilinear: 626, encoder: 604, "encoder-top": 606 } as const;

interface KerasListing {
  readonly image: string;
  /** Logits by decoder. */
  readonly predictions: Readonly<Record<Decoder, string>>;
  readonly cases: readonly { file: string; network: keyof typeof WEIGHTS; format: string }[];
}

interface TorchvisionListing {
  readonly image: string;
  readonly file: string;
  readonly skips: readonly string[];
}

const { BESPOKE_PEER_MODELS: folder = "" } = process.env;
const listings =
  folder === "" || !existsSync(folder) ? [] : readdirSync(folder).filter((name) => name.endsWith(".json"));
if (listings.length === 0) {
  console.log(
    "Files of Keras and torchvision are not read: BESPOKE_PEER_MODELS names no folder made by test/weights/peers/*.py.",
  );
}
const inFolder = (name: string): string => join(folder, name);
const listing = <T>(name: string): T => JSON.parse(readFileSync(inFolder(name), "utf8")) as T;
const numbers = (name: string): Float32Array => readFloats(inFolder(name));

const gpu = useGpu();

/** What the network makes of the image with the weights of a file. */
async function forward(
  file: string,
  image: Float32Array,
  network: (image: Tensor) => Readonly<Record<string, Tensor>>,
): Promise<Record<string, ArrayLike<number>>> {
  const graph = new Graph();
  const outputs = network(graph.input("image", [1, SIZE, SIZE, 3]));
  const variables = new Variables(gpu());
  const program = await compile(gpu(), { outputs, variables });
  try {
    await restoreWeights(variables, inFolder(file));
    return await program.run({ image });
  } finally {
    program.destroy();
    variables.destroy();
  }
}

const FORMATS: Readonly<Record<string, string>> = { ".keras": "keras" };

describe.each(listings.filter((name) => name.startsWith("keras-")))("%s", (name) => {
  const { image, predictions, cases } = listing<KerasListing>(name);

  test.each(Object.entries(predictions))(
    "the U-Net with the decoder %s predicts the same",
    async (decoder, expected) => {
      const { file } = cases.find(({ network }) => network === decoder)!;
      const { logits } = await forward(file, numbers(image), (input) => ({
        logits: unet(input, {
          classes: CLASSES,
          training: false,
          trainableEncoder: false,
          decoder: decoder as Decoder,
        }),
      }));
      const error = relativeError(logits, numbers(expected));
      console.log(`${file}: worst logit ${error.toExponential(1)} of the largest`);
      expect(error).toBeLessThan(LIMIT);
    },
  );

  const first = new Map<string, Record<string, string>>();
  test.each(cases)("$file", async ({ file, network, format }) => {
    const loaded = await loadWeights(inFolder(file));
    const sums = checksums(loaded.tensors);
    if (!first.has(network)) first.set(network, sums);
    expect(Object.keys(sums)).toHaveLength(WEIGHTS[network]);
    expect(sums).toEqual(first.get(network));
    expect(loaded.format).toBe(FORMATS[format] ?? "keras-h5");
    const decoder = /^(nearest|bilinear)$/.test(network) ? network : undefined;
    if (loaded.otherDecoder === undefined) expect(loaded.metadata.decoder).toBe(decoder);
    else {
      // Weights alone.
      expect(file).toContain("save_weights");
      expect([loaded.decoder, loaded.otherDecoder]).toContain(decoder);
    }
    expect(loaded.missing).toHaveLength(network.startsWith("encoder") ? 22 : 0);
  });
});

test.skipIf(!listings.some((name) => name.startsWith("torchvision-")))(
  "torchvision's densenet121 has the same skips",
  async () => {
    for (const name of listings.filter((file) => file.startsWith("torchvision-"))) {
      const { file, image, skips } = listing<TorchvisionListing>(name);
      const outputs = await forward(
        file,
        numbers(image),
        (input) => encode(input, denseNet121, { training: false, trainable: false }).taps,
      );
      for (const [i, skip] of Object.keys(outputs).entries()) {
        const error = relativeError(outputs[skip], numbers(skips[i]));
        console.log(`${file}: worst of ${skip} ${error.toExponential(1)} of the largest`);
        expect(error, skip).toBeLessThan(LIMIT);
      }
    }
  },
);
