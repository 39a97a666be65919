/** @file Models as they are written give in tfjs and in ONNX Runtime what they give here. */
import { readFile } from "node:fs/promises";
import { io, tensor, tidy } from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../src/graph/initializers.ts";
import { Graph } from "../../src/graph/graph.ts";
import { compile } from "../../src/graph/compile.ts";
import { Variables } from "../../src/graph/variables.ts";
import { resizeBilinear } from "../../src/data/resize.ts";
import { normalize } from "../../src/data/normalize.ts";
import { unetDecoder, unetEncoder } from "../../src/layers/unet.ts";
import type { Decoder } from "../../src/layers/networks/decoder.ts";
import type { NamedTensors } from "../../src/weights/tensors.ts";
import { writeModel } from "../../src/weights/write.ts";
import { expectClose } from "../helpers/close.ts";
import { useGpu } from "../helpers/gpu.ts";
import { isQuick } from "../helpers/quick.ts";
import { useTfjsWasm } from "../parity/tfjs-backends.ts";
import { randomUnet } from "./random-network.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const SIZE = 32;
const BATCH = 3;
const LIMIT = 1e-4;
/** Photos of another size than the network's, as bytes. */
const PHOTO = { width: 50, height: 41 };

const gpu = useGpu();
const inFolder = temporaryFolder();
env.wasm.numThreads = 1;
env.logLevel = "error";

type Outputs = Record<string, ArrayLike<number>>;

/** What this project's network makes of images `[BATCH, SIZE, SIZE, 3]`: the skips, and the logits. */
async function ours(
  weights: NamedTensors,
  { decoder, classes }: { decoder: Decoder; classes: number },
  image: Float32Array,
): Promise<Outputs> {
  const graph = new Graph();
  const input = graph.input("image", [BATCH, SIZE, SIZE, 3]);
  const options = { classes, training: false, trainableEncoder: false, decoder };
  const skips = unetEncoder(input, options);
  const variables = new Variables(gpu());
  const outputs = { ...skips, logits: unetDecoder(skips, options) };
  const program = await compile(gpu(), { outputs, variables });
  try {
    for (const [name, { data }] of weights) variables.write(name, data as Float32Array);
    return await program.run({ image });
  } finally {
    program.destroy();
    variables.destroy();
  }
}

/** What tfjs makes of them with a model that it loads as it would over HTTP. */
async function tfjs(folder: string, image: Float32Array, batch: number): Promise<Outputs> {
  await useTfjsWasm();
  const fetchFunc = async (path: string): Promise<Response> =>
    new Response(await readFile(path), { headers: { "content-type": "application/json" } });
  const fetchFile = fetchFunc as typeof fetch;
  const model = await loadLayersModel(io.http(`${folder}/model.json`, { fetchFunc: fetchFile }));
  const results = tidy(() => {
    const x = tensor(image.subarray(0, batch * SIZE * SIZE * 3), [batch, SIZE, SIZE, 3]);
    return [model.predict(x)].flat().map((result) => result.dataSync<"float32">().slice());
  });
  const named = Object.fromEntries(model.outputNames.map((name, i) => [name, results[i]]));
  expect(model.inputs[0].shape).toEqual([null, SIZE, SIZE, 3]);
  model.dispose();
  return named;
}

/** What ONNX Runtime makes of the first photos of an input `[BATCH, …shape]`, as many as each of `batches` says. */
async function onnx(
  path: string,
  { name, data, shape }: { name: string; data: Float32Array | Uint8Array; shape: number[] },
  batches: readonly number[],
): Promise<Outputs[]> {
  const session = await InferenceSession.create(await readFile(path));
  const type = data instanceof Uint8Array ? "uint8" : "float32";
  const all: Outputs[] = [];
  for (const batch of batches) {
    const first = data.slice(0, (data.length / BATCH) * batch);
    const results = await session.run({ [name]: new OrtTensor(type, first, [batch, ...shape]) });
    const named = Object.entries(results).map(([output, { data }]) => [output, data as ArrayLike<number>]);
    all.push(Object.fromEntries(named) as Outputs);
  }
  await session.release();
  return all;
}

describe.each([
  ["transpose", 256],
  ["nearest", 2],
  ["bilinear", 3],
] as const)("a U-Net, decoder %s, of %i classes", (decoder, classes) => {
  const weights = randomUnet(classes, decoder);
  const normalization = decoder === "transpose" ? "unit" : "imagenet";
  const metadata = { image_size: String(SIZE), normalization, decoder };
  const random = seededRandom(3, decoder);
  const { width, height } = PHOTO;
  const photos = Uint8Array.from({ length: BATCH * width * height * 3 }, () => 256 * random());
  const image = new Float32Array(BATCH * SIZE * SIZE * 3);
  let expected: Outputs = {};
  beforeAll(async () => {
    for (let i = 0; i < BATCH; i++) {
      const photo = photos.subarray(i * width * height * 3, (i + 1) * width * height * 3);
      const resized = resizeBilinear(photo, PHOTO, 3, { width: SIZE, height: SIZE }, 1 / 255);
      image.set(normalize(resized, normalization), i * SIZE * SIZE * 3);
    }
    expected = await ours(weights, { decoder, classes }, image);
  });
  const images = { name: "image", data: image, shape: [SIZE, SIZE, 3] };
  const logits = (batch: number): ArrayLike<number> =>
    (expected.logits as Float32Array).subarray(0, batch * SIZE * SIZE * classes);

  test("as a tfjs layers model", async () => {
    const folder = inFolder(`tfjs-${decoder}`);
    await writeModel(folder, { tensors: weights, metadata });
    expectClose((await tfjs(folder, image, 2)).head, logits(2), LIMIT, "tfjs's logits");
  });

  // Of this decoder, what tfjs makes of it is enough for `npm test`.
  if (isQuick && decoder === "nearest") return;
  test.each([false, true])("as ONNX, batch norms folded: %s", async (foldBatchNorm) => {
    const path = inFolder(`${decoder}-${foldBatchNorm}.onnx`);
    await writeModel(path, { tensors: weights, metadata }, { foldBatchNorm });
    const batches = foldBatchNorm ? [1] : [1, BATCH];
    const results = await onnx(path, images, batches);
    for (const [i, batch] of batches.entries()) {
      expectClose(results[i].logits, logits(batch), LIMIT, `ONNX's logits of ${batch}`);
    }
  });

  // What prepares photos knows nothing of the decoder.
  if (decoder === "bilinear") return;
  test("as ONNX from the bytes of photos to labels", async () => {
    const path = inFolder(`${decoder}-embedded.onnx`);
    await writeModel(path, { tensors: weights, metadata }, { embed: true });
    const [{ labels }] = await onnx(path, { name: "photos", data: photos, shape: [height, width, 3] }, [
      BATCH,
    ]);
    const largest = (expected.logits as Float32Array).reduce(
      (most, value) => Math.max(most, Math.abs(value)),
      0,
    );
    const seen = new Set<number>();
    let differing = 0;
    for (let pixel = 0; pixel < BATCH * SIZE * SIZE; pixel++) {
      const values = (expected.logits as Float32Array).subarray(pixel * classes, (pixel + 1) * classes);
      const likeliest = values.indexOf(Math.max(...values));
      seen.add(likeliest);
      const theirs = Number(labels[pixel]);
      if (theirs === likeliest) continue;
      // Where two classes are as likely, rounding decides.
      expect(values[theirs], `pixel ${pixel}`).toBeGreaterThan(values[likeliest] - LIMIT * largest);
      differing++;
    }
    expect(labels).toHaveLength(BATCH * SIZE * SIZE);
    expect(seen.size).toBeGreaterThanOrEqual(Math.min(classes, 20));
    expect(differing).toBeLessThan(5);
  });

  if (decoder !== "transpose") return;
  test("its encoder, which gives five skips", async () => {
    const encoder = new Map([...weights].filter(([name]) => !/^(upsample_\d|head)\//.test(name)));
    const [folder, path] = [inFolder("encoder"), inFolder("encoder.onnx")];
    for (const out of [folder, path]) await writeModel(out, { tensors: encoder, metadata });
    const [ofOnnx] = await onnx(path, images, [BATCH]);
    const theirs = { tfjs: await tfjs(folder, image, BATCH), onnx: ofOnnx };
    for (const [who, skips] of Object.entries(theirs)) {
      expect(Object.keys(skips).sort()).toEqual(
        Object.keys(expected)
          .filter((name) => name !== "logits")
          .sort(),
      );
      for (const [name, skip] of Object.entries(skips)) {
        expectClose(skip, expected[name], LIMIT, `${who}'s ${name}`);
      }
    }
  });
});
