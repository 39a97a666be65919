import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import "@tensorflow/tfjs-backend-cpu";
import { io } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeTfjsWeight, parseTfjsModel, type TfjsWeight } from "../../src/weights/tfjs-manifest.ts";
import { readTfjs } from "../../src/weights/tfjs.ts";
import { FileError } from "../../src/files/file-error.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();
let models = 0;

/** Writes a model folder and returns the path of its model.json. */
async function modelOf(manifest: unknown, shards: Record<string, Uint8Array>): Promise<string> {
  const folder = inFolder(`model${models++}`);
  await mkdir(join(folder, "shards"), { recursive: true });
  const json = { format: "layers-model", generatedBy: "a test", weightsManifest: manifest };
  await writeFile(join(folder, "model.json"), JSON.stringify(json));
  for (const [name, bytes] of Object.entries(shards)) await writeFile(join(folder, name), bytes);
  return join(folder, "model.json");
}

const bytesOf = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const kernel = { name: "conv/kernel", shape: [2, 2], dtype: "float32" };
const bias = { name: "conv/conv/bias:0", shape: [1], dtype: "float32" };

describe("readTfjs", () => {
  test("weights over shards that cut through them, and over groups", async () => {
    const all = bytesOf(1, 2, 3, 4, 5);
    const path = await modelOf(
      [
        { paths: ["a", "shards/b", "c"], weights: [kernel, bias] },
        { paths: ["d"], weights: [{ name: "steps", shape: [], dtype: "int32" }] },
      ],
      {
        a: all.slice(0, 7),
        "shards/b": all.slice(7, 14),
        c: all.slice(14),
        d: new Uint8Array(Int32Array.of(-7).buffer),
      },
    );
    const { tensors, metadata } = await readTfjs(path);
    expect([...tensors]).toEqual([
      ["conv/kernel", { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
      ["conv/bias", { shape: [1], data: Float32Array.of(5) }],
      ["steps", { shape: [], data: Int32Array.of(-7) }],
    ]);
    expect(metadata).toEqual({ format: "layers-model", generatedBy: "a test" });
  });

  test("quantised weights are what tfjs makes of them", () => {
    const quantization = fc.oneof(
      fc.constant({ dtype: "float16" as const }),
      fc.record({
        dtype: fc.constantFrom("uint8" as const, "uint16" as const),
        scale: fc.float({ min: Math.fround(1e-3), max: 2, noNaN: true }),
        min: fc.float({ min: -9, max: 9, noNaN: true }),
      }),
    );
    const dtype = fc.constantFrom("float32" as const, "int32" as const);
    fc.assert(
      fc.property(quantization, dtype, fc.uint8Array({ minLength: 8, maxLength: 8 }), (how, type, bytes) => {
        fc.pre(!(how.dtype === "float16" && type === "int32"));
        const shape = [how.dtype === "uint8" ? 8 : 4];
        const weight: TfjsWeight = { name: "w", shape, dtype: type, quantization: how };
        const spec = { name: "w", shape, dtype: type, quantization: { scale: 1, min: 0, ...how } };
        const reference = io.decodeWeights(bytes.slice().buffer, [spec]);
        const expected = reference["w"].dataSync();
        expect(decodeTfjsWeight(weight, bytes.slice().buffer)).toEqual(expected);
      }),
    );
  });

  test.each([
    ["a missing shard", { a: bytesOf(1, 2) }, ["a", "b"], /model\d+\/b: there is no such file/],
    ["a short shard", { a: bytesOf(1, 2, 3) }, ["a"], /shard "a" is 8 bytes short of the 20 bytes/],
    ["a long shard", { a: bytesOf(1, 2, 3, 4, 5, 6) }, ["a"], /shard "a" is 4 bytes too long/],
    [
      "a short shard among whole ones",
      { a: bytesOf(1, 2), b: bytesOf(3), c: bytesOf(5) },
      ["a", "b", "c"],
      /shard "b" \(or another of its group's 3 shards\) is 4 bytes short/,
    ],
    ["a shard above the folder", {}, ["../secret"], /"\.\.\/secret" lies outside the model's folder/],
    ["a shard above by a detour", {}, ["shards/../../secret"], /lies outside the model's folder/],
    ["an absolute shard", {}, ["/etc/passwd"], /"\/etc\/passwd" lies outside/],
    ["a shard of Windows' kind", {}, ["..\\secret"], /lies outside/],
    ["a folder for a shard", {}, ["shards"], /shards: it is a folder/],
  ])("%s is refused by name", async (_, shards, paths, why) => {
    const path = await modelOf([{ paths, weights: [kernel, bias] }], shards);
    await expect(readTfjs(path)).rejects.toThrow(FileError);
    await expect(readTfjs(path)).rejects.toThrow(why);
  });

  test("a weight listed twice is refused", async () => {
    const path = await modelOf([{ paths: ["a"], weights: [bias, bias] }], { a: bytesOf(1, 2) });
    await expect(readTfjs(path)).rejects.toThrow('lists the weight "conv/bias" twice');
  });
});

describe("parseTfjsModel", () => {
  const group = (weight: object) =>
    JSON.stringify({ weightsManifest: [{ paths: ["a"], weights: [weight] }] });
  test.each([
    ["no JSON", "{", "it is not JSON"],
    ["no manifest", "{}", "weightsManifest:"],
    ["a string dtype", group({ ...kernel, dtype: "string" }), "weights.0.dtype: only float32 and int32"],
    ["a negative extent", group({ ...kernel, shape: [-1] }), "weightsManifest.0.weights.0.shape.0:"],
    ["a hostile shape", group({ ...kernel, shape: [2 ** 40, 2 ** 40] }), "is too large"],
    ["an unknown quantisation", group({ ...kernel, quantization: { dtype: "int4" } }), "quantization.dtype:"],
    ["int32 as float16", group({ ...kernel, dtype: "int32", quantization: { dtype: "float16" } }), "float16"],
  ])("%s", (_, text, why) => {
    expect(() => parseTfjsModel(text, "model.json")).toThrow(FileError);
    expect(() => parseTfjsModel(text, "model.json")).toThrow(why);
  });

  test("any JSON gives groups or one clear sentence", () => {
    const weight = fc.record(
      {
        name: fc.oneof(fc.string(), fc.jsonValue()),
        shape: fc.oneof(fc.array(fc.oneof(fc.integer(), fc.double())), fc.jsonValue()),
        dtype: fc.oneof(fc.constantFrom("float32", "int32", "bool"), fc.jsonValue()),
        quantization: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const manifest = fc.array(fc.record({ paths: fc.array(fc.string()), weights: fc.array(weight) }));
    fc.assert(
      fc.property(fc.oneof(fc.record({ weightsManifest: manifest }), fc.jsonValue()), (json) => {
        try {
          parseTfjsModel(JSON.stringify(json), "model.json");
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
          expect((error as Error).message).toMatch(/^Cannot read model\.json.+\.$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
