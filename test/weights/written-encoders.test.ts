import { io, tensor, tidy, type Tensor } from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-web";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/graph/initializers.ts";
import { ENCODERS } from "../../src/layers/networks/encoders.ts";
import { encodeModel } from "../../src/weights/onnx/model.ts";
import { onnxModel } from "../../src/weights/onnx/onnx-writer.ts";
import { modelFiles } from "../../src/weights/tfjs-writer.ts";
import { writtenNetwork, type WrittenNetwork } from "../../src/weights/written-network.ts";
import { isQuick } from "../helpers/quick.ts";
import { relativeError } from "../parity/row.ts";
import { useTfjsWasm } from "../parity/tfjs-backends.ts";
import { randomWeights } from "./random-network.ts";

const [HEIGHT, WIDTH] = [96, 128];
const LIMIT = 1e-4;
env.wasm.numThreads = 1;

const random = seededRandom(3, "image");
const IMAGE = Float32Array.from({ length: HEIGHT * WIDTH * 3 }, random);

async function onnx(network: WrittenNetwork, foldBatchNorm: boolean): Promise<Float32Array[]> {
  const bytes = Buffer.concat([...encodeModel(onnxModel(network, { foldBatchNorm })).chunks]);
  const session = await InferenceSession.create(bytes);
  const results = await session.run({ image: new OrtTensor("float32", IMAGE, [1, HEIGHT, WIDTH, 3]) });
  await session.release();
  return network.outputs.map((name) => results[name].data as Float32Array);
}

async function tfjs(network: WrittenNetwork): Promise<Float32Array[]> {
  await useTfjsWasm();
  const files = new Map([...modelFiles(network)].map(([name, chunks]) => [name, Buffer.concat([...chunks])]));
  const { modelTopology, weightsManifest } = JSON.parse(files.get("model.json")!.toString()) as {
    modelTopology: object;
    weightsManifest: { paths: string[]; weights: io.WeightsManifestEntry[] }[];
  };
  const [{ paths, weights }] = weightsManifest;
  const weightData = new Uint8Array(Buffer.concat(paths.map((path) => files.get(path)!))).buffer;
  const model = await loadLayersModel(io.fromMemory({ modelTopology, weightSpecs: weights, weightData }));
  return tidy(() => {
    const results = model.predict(tensor(IMAGE, [1, HEIGHT, WIDTH, 3])) as Tensor[];
    return results.map((result) => result.dataSync<"float32">().slice());
  });
}

// DenseNets have no kind of layer that the U-Net in write.test.ts has not.
const TESTED = ENCODERS.filter(({ name }) =>
  isQuick ? name === "mobilenetv2" : !name.startsWith("densenet"),
);
test.each(TESTED.map((each) => [each.title, each] as const))(
  "%s as ONNX, folded or not, and as tfjs model gives the same",
  async (_, encoder) => {
    const tensors = randomWeights(encoder.layers());
    const network = writtenNetwork(
      { tensors, metadata: { image_size: `${HEIGHT}x${WIDTH}` } },
      { source: "random" },
    );
    expect(network.encoder).toBe(encoder);
    const [whole, folded, other] = [
      await onnx(network, false),
      await onnx(network, true),
      await tfjs(network),
    ];
    expect(whole).toHaveLength(network.outputs.length);
    for (const [i, name] of network.outputs.entries()) {
      expect(relativeError(folded[i], whole[i]), name).toBeLessThan(LIMIT);
      expect(relativeError(other[i], whole[i]), name).toBeLessThan(LIMIT);
    }
  },
  120_000,
);
