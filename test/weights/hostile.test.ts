/**
 * @file Files of every format with bytes changed, cut off and lengths replaced by huge ones: each reader gives weights
 * or one sentence, and takes no more memory than a file of its size may.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { File, ready } from "h5wasm/node";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { loadWeights } from "../../src/weights/load.ts";
import { isHdf5 } from "../../src/weights/keras-h5.ts";
import { encodeSafetensors } from "../../src/weights/safetensors.ts";
import { FileError } from "../../src/files/file-error.ts";
import { readZipEntries } from "../../src/files/zip-entries.ts";
import { float32 } from "./arbitrary-tensors.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { zipArchive } from "./zip-archive.ts";

const inFolder = temporaryFolder();

const CONFIG = {
  class_name: "Functional",
  config: {
    name: "model",
    layers: [
      { class_name: "InputLayer", name: "in", config: {}, inbound_nodes: [] },
      { class_name: "Conv2D", name: "conv", config: { filters: 8 }, inbound_nodes: [[["in", 0, 0, {}]]] },
      {
        class_name: "Sequential",
        name: "up",
        config: { layers: [{ class_name: "ReLU", config: {} }] },
        inbound_nodes: [{ args: [{ config: { keras_history: ["conv", 0, 0] } }], kwargs: {} }],
      },
    ],
    input_layers: [["in", 0, 0]],
    output_layers: [["up", 0, 0]],
  },
};

/** What a reader of files of some kilobytes may add to the process at its worst, garbage that lies about included. */
const MOST_MEGABYTES = 300;

type Edit =
  | { readonly kind: "byte"; readonly at: number; readonly byte: number }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "length"; readonly at: number; readonly bytes: number; readonly value: bigint };

const HUGE = [0x7fffffffn, 0xffffffffn, 2n ** 40n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n, 0n, 0x10000n];

/** Changes to the first `header` bytes, or to the last for formats that begin at their end. */
const edits = (header: number) =>
  fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant("byte" as const),
          at: fc.nat(header - 1),
          byte: fc.nat(255),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), at: fc.nat(header - 1) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant("length" as const),
          at: fc.nat(header - 1),
          bytes: fc.constantFrom(2, 4, 8),
          value: fc.constantFrom(...HUGE),
        }),
      },
    ),
    { minLength: 1, maxLength: 4 },
  );

function mutate(whole: Uint8Array, changes: readonly Edit[], fromEnd = false): Buffer {
  let bytes = Buffer.from(whole);
  for (const change of changes) {
    if (bytes.length === 0) break;
    const at = fromEnd ? Math.max(0, bytes.length - 1 - change.at) : Math.min(change.at, bytes.length - 1);
    if (change.kind === "byte") bytes[at] = change.byte;
    else if (change.kind === "cut") bytes = bytes.subarray(0, at);
    else {
      const number = Buffer.alloc(8);
      number.writeBigUInt64LE(change.value);
      number.copy(bytes, at, 0, Math.min(change.bytes, bytes.length - at));
    }
  }
  return bytes;
}

/** The text of a JSON file with numbers replaced by others, and brackets by many. */
const mutateJson = (text: string, at: number, instead: string): string => {
  const places = [...text.matchAll(/-?\d+|"[^"]*"|\[\]/g)];
  const place = places[at % places.length];
  return text.slice(0, place.index) + instead + text.slice(place.index + place[0].length);
};
const INSTEAD = [
  "-1",
  "1e9",
  "9007199254740992",
  "1e400",
  "0",
  "null",
  '""',
  '"../../x"',
  "[]",
  "{}",
  "[".repeat(9999),
  '"__proto__"',
];

async function resolvesOrRefuses(work: Promise<unknown>): Promise<void> {
  const result = await work.catch((thrown: unknown) => thrown);
  if (!(result instanceof Error)) return;
  expect(result, result.stack).toBeInstanceOf(FileError);
  expect(result.message).toMatch(/^[^\n]{1,1500}\.$/);
}

/** The high-water mark of this process's memory, threads included. */
const peakMegabytes = (): number => process.resourceUsage().maxRSS / 1024;

async function withinMemory(work: () => Promise<void>): Promise<void> {
  const before = peakMegabytes();
  await work();
  expect(peakMegabytes() - before).toBeLessThan(MOST_MEGABYTES);
}

beforeAll(() => ready);

describe("mutated files", () => {
  test("safetensors", async () => {
    const whole = encodeSafetensors(
      new Map([
        ["conv/kernel", float32([2, 2], 1, 2, 3, 4)],
        ["conv/bias", float32([2], 5, 6)],
      ]),
      { classes: '["null"]' },
    );
    const path = inFolder("x.safetensors");
    await withinMemory(() =>
      fc.assert(
        fc.asyncProperty(edits(whole.length), async (changes) => {
          await writeFile(path, mutate(whole, changes));
          await resolvesOrRefuses(loadWeights(path));
        }),
        { numRuns: 400 },
      ),
    );
  });

  test("tfjs: model.json and shards", async () => {
    const folder = inFolder("tfjs");
    await mkdir(folder);
    const specs = [
      { name: "conv/kernel", shape: [2, 2], dtype: "float32" },
      {
        name: "conv/bias",
        shape: [2],
        dtype: "float32",
        quantization: { dtype: "uint8", scale: 0.5, min: -1 },
      },
    ];
    const text = JSON.stringify({
      modelTopology: CONFIG,
      weightsManifest: [{ paths: ["a", "b"], weights: specs }],
      userDefinedMetadata: { classes: "x" },
    });
    await withinMemory(() =>
      fc.assert(
        fc.asyncProperty(
          fc.oneof(
            edits(text.length).map((changes) => mutate(Buffer.from(text), changes)),
            edits(700).map((changes) => mutate(Buffer.from(text), changes, true)),
            fc
              .tuple(fc.nat(1000), fc.constantFrom(...INSTEAD))
              .map(([at, instead]) => Buffer.from(mutateJson(text, at, instead))),
          ),
          fc.constantFrom(10, 9, 0, 400),
          async (json, bytes) => {
            await writeFile(`${folder}/model.json`, json);
            await writeFile(`${folder}/a`, Buffer.alloc(8));
            await writeFile(`${folder}/b`, Buffer.alloc(bytes));
            await resolvesOrRefuses(loadWeights(folder));
          },
        ),
        { numRuns: 300 },
      ),
    );
  });

  test("the zip archive of .keras", async () => {
    const json = Buffer.from(JSON.stringify(CONFIG));
    const whole = zipArchive([
      { name: "metadata.json", bytes: Buffer.from("{}") },
      { name: "config.json", bytes: json, deflate: true },
      { name: "model.weights.h5", bytes: Buffer.alloc(500, 1) },
    ]);
    const path = inFolder("x.keras");
    const wanted = { "config.json": 1e6, "model.weights.h5": 2 ** 31 };
    await withinMemory(() =>
      fc.assert(
        fc.asyncProperty(edits(whole.length), fc.boolean(), async (changes, fromEnd) => {
          await writeFile(path, mutate(whole, changes, fromEnd));
          await resolvesOrRefuses(readZipEntries(path, wanted));
        }),
        { numRuns: 500 },
      ),
    );
  });

  test("the configuration in .h5 and .keras, and what the library makes of the headers", async () => {
    const write = new File(inFolder("sound.h5"), "w");
    write.create_attribute("layer_names", ["conv", "bn"]);
    write.create_attribute("model_config", JSON.stringify(CONFIG), null, "S");
    for (const [layer, weight] of [
      ["conv", "kernel"],
      ["bn", "gamma"],
    ]) {
      const group = write.create_group(layer);
      group.create_attribute("weight_names", [weight]);
      group.create_dataset({ name: weight, data: new Float32Array(8), shape: [8] });
    }
    write.close();
    const whole = await readFile(inFolder("sound.h5"));
    await withinMemory(() =>
      fc.assert(
        fc.asyncProperty(edits(whole.length), fc.boolean(), async (changes, inArchive) => {
          const bytes = mutate(whole, changes);
          if (!isHdf5(bytes)) return;
          const path = inFolder(inArchive ? "y.keras" : "y.h5");
          const config = { name: "config.json", bytes: Buffer.from("{}") };
          await writeFile(
            path,
            inArchive ? zipArchive([config, { name: "model.weights.h5", bytes }]) : bytes,
          );
          await resolvesOrRefuses(loadWeights(path));
        }),
        // Each starts a thread and the library in it, half a second.
        { numRuns: 6, endOnFailure: true },
      ),
    );
  });
});
