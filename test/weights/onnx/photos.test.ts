/** @file Photos become in ONNX Runtime what they become here before training, however they are normalized. */
import { env, InferenceSession, Tensor } from "onnxruntime-web";
import { expect, test } from "vitest";
import { normalize, NORMALIZATIONS } from "../../../src/data/normalize.ts";
import { resizeBilinear } from "../../../src/data/resize.ts";
import { seededRandom } from "../../../src/graph/initializers.ts";
import { GraphBuilder } from "../../../src/weights/onnx/graph-builder.ts";
import { encodeModel } from "../../../src/weights/onnx/model.ts";
import { addPreparation, PHOTOS } from "../../../src/weights/onnx/photos.ts";
import { expectClose } from "../../helpers/close.ts";

const SIZE = { height: 8, width: 6 };
const PIXELS_SEEN = SIZE.height * SIZE.width;
const PHOTO = { width: 13, height: 11 };
env.wasm.numThreads = 1;

const random = seededRandom(3, "photo");
const PIXELS = Uint8Array.from({ length: PHOTO.width * PHOTO.height * 3 }, () => 256 * random());

/** `[3, height, width]`, as the network behind it reads them. */
async function prepared(normalization: string): Promise<Float32Array> {
  const graph = new GraphBuilder();
  addPreparation(graph, "planes", SIZE, normalization);
  const { nodes, initializers } = graph;
  const planes = { name: "planes", type: "float32", shape: ["N", 3, SIZE.height, SIZE.width] } as const;
  const parts = { name: "preparation", nodes, initializers, inputs: [PHOTOS], outputs: [planes] };
  const model = { irVersion: 8, opset: 18, producer: "test", graph: parts, metadata: {} };
  const session = await InferenceSession.create(Buffer.concat([...encodeModel(model).chunks]));
  const photos = new Tensor("uint8", PIXELS, [1, PHOTO.height, PHOTO.width, 3]);
  const results = await session.run({ [PHOTOS.name]: photos });
  await session.release();
  return results.planes.data as Float32Array;
}

test.each(NORMALIZATIONS)("%s", async (normalization) => {
  const resized = resizeBilinear(PIXELS, PHOTO, 3, SIZE, 1 / 255);
  const expected = normalize(resized, normalization);
  const planes = Float32Array.from(
    expected,
    (_, i) => expected[3 * (i % PIXELS_SEEN) + Math.floor(i / PIXELS_SEEN)],
  );
  expectClose(await prepared(normalization), planes, 1e-6, normalization);
});

test("one that is not known is refused", async () => {
  await expect(prepared("zscore")).rejects.toThrow(
    'The normalization "zscore" is not known here: it must be unit, imagenet, caffe, tf, bytes',
  );
});
