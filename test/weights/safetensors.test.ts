import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writeFileAtomically } from "../../src/files/atomic-write.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { encodeSafetensors, parseSafetensors } from "../../src/weights/safetensors.ts";
import type { HostTensor } from "../../src/weights/tensors.ts";
import { FileError } from "../../src/files/file-error.ts";
import { arbitraryMetadata, arbitraryTensors, bitsOf, float32 } from "./arbitrary-tensors.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const inFolder = temporaryFolder();

/** A file of the given header text and data. */
function fileOf(header: string, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const tensor = (dtype: string, shape: unknown, begin: unknown, end: unknown) =>
  JSON.stringify({ a: { dtype, shape, data_offsets: [begin, end] } });

describe("the format", () => {
  test("what is encoded is parsed, bit by bit", () => {
    fc.assert(
      fc.property(arbitraryTensors, arbitraryMetadata, (tensors, metadata) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const parsed = parseSafetensors(bytes);
        expect(bitsOf(parsed.tensors)).toEqual(bitsOf(tensors));
        expect(Object.entries(parsed.metadata).sort()).toEqual(Object.entries(metadata).sort());
        expect(encodeSafetensors(parsed.tensors, parsed.metadata)).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  test("the header is aligned, padded with spaces, and independent of the order of tensors and metadata", () => {
    const [a, b] = [float32([2], 1, 2), float32([], 3)];
    const bytes = encodeSafetensors(
      new Map([
        ["b", b],
        ["a", a],
      ]),
      { decoder: "nearest", classes: "59" },
    );
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    expect(length % 8).toBe(0);
    expect(header).toMatch(/^\{"__metadata__":\{"classes":.*\} *$/);
    expect(JSON.parse(header)).toEqual({
      __metadata__: { classes: "59", decoder: "nearest" },
      a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
      b: { dtype: "F32", shape: [], data_offsets: [8, 12] },
    });
    expect(
      encodeSafetensors(
        new Map([
          ["a", a],
          ["b", b],
        ]),
        { classes: "59", decoder: "nearest" },
      ),
    ).toEqual(bytes);
  });

  test("16-bit floats are widened", () => {
    const bytes = fileOf(
      JSON.stringify({
        half: { dtype: "F16", shape: [1], data_offsets: [0, 2] },
        brain: { dtype: "BF16", shape: [1], data_offsets: [2, 4] },
      }),
      4,
    );
    bytes.set([0x00, 0x3e, 0xc0, 0x3f], bytes.length - 4);
    const { tensors } = parseSafetensors(bytes);
    expect(tensors.get("half")!.data).toEqual(Float32Array.of(1.5));
    expect(tensors.get("brain")!.data).toEqual(Float32Array.of(1.5));
  });

  test("a tensor whose shape is not its size is not saved", () => {
    expect(() => encodeSafetensors(new Map([["w", float32([3], 1, 2)]]))).toThrow(
      'Cannot save the tensor "w": its shape [3] does not hold 2 numbers.',
    );
  });
});

describe("a damaged file", () => {
  test.each([
    ["empty", new Uint8Array(0), "0 bytes"],
    [
      "an endless header",
      Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255),
      "18446744073709551615 bytes",
    ],
    ["a header longer than the file", Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0), "claims 9 bytes"],
    ["no JSON", fileOf("{nonsense"), "not JSON"],
    ["no UTF-8", fileOf("{}").map((byte, i) => (i === 9 ? 0xff : byte)), "not JSON"],
    ["an array", fileOf("[]"), "not a JSON object"],
    ["metadata that is no string", fileOf('{"__metadata__":{"epoch":3}}'), '"epoch" is not a string'],
    ["an entry that is no object", fileOf('{"a":1}'), '"a" is not described'],
    ["an unknown dtype", fileOf(tensor("F8_E4M3", [1], 0, 1), 1), '"a" holds "F8_E4M3" numbers'],
    ["a dtype of Object's", fileOf(tensor("toString", [1], 0, 1), 1), '"a" holds "toString" numbers'],
    ["a negative extent", fileOf(tensor("F32", [-1], 0, 4), 4), '"a" has no valid shape'],
    ["no offsets", fileOf('{"a":{"dtype":"F32","shape":[1]}}', 4), '"a" has no valid data_offsets'],
    ["reversed offsets", fileOf(tensor("F32", [1], 4, 0), 4), '"a" has no valid data_offsets'],
    ["a shape beyond counting", fileOf(tensor("F32", [2 ** 30, 2 ** 30], 0, 4), 4), "more elements than"],
    ["a hostile size", fileOf(tensor("F32", [2 ** 45], 0, 2 ** 47), 4), "ends at byte 140737488355328 of 4"],
    [
      "a shape that is not its bytes",
      fileOf(tensor("F32", [3], 0, 8), 8),
      "12 bytes, and its data_offsets span 8",
    ],
    ["truncated data", fileOf(tensor("F32", [2], 0, 8), 4), "ends at byte 8 of 4"],
    ["data of no tensor", fileOf(tensor("F32", [1], 0, 4), 9), "5 bytes at its end belong to no tensor"],
    ["a gap", fileOf(tensor("F32", [1], 4, 8), 8), "leaves a gap"],
    [
      "an overlap",
      fileOf(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
        12,
      ),
      '"b" at byte 4 overlaps',
    ],
  ])("%s", async (kind, bytes, why) => {
    expect(() => parseSafetensors(bytes, "x.safetensors")).toThrow(FileError);
    expect(() => parseSafetensors(bytes, "x.safetensors")).toThrow(why);
    const path = inFolder(`${kind.replaceAll(/\W/g, "-")}.safetensors`);
    await writeFile(path, bytes);
    await expect(readSafetensors(path)).rejects.toThrow(why);
  });

  test("any mutation of a file gives weights or one clear sentence", () => {
    const tensors = new Map([
      ["conv/kernel", float32([2, 2], 1, 2, 3, 4)],
      ["conv/bias", float32([2], 5, 6)],
    ]);
    const valid = encodeSafetensors(tensors, { classes: "59" });
    const edit = fc.record({ at: fc.nat(valid.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(
        fc.array(edit, { maxLength: 4 }),
        fc.nat(valid.length),
        fc.boolean(),
        (edits, cut, cuts) => {
          const bytes = cuts ? valid.slice(0, cut) : valid.slice();
          for (const { at, byte } of edits) if (at < bytes.length) bytes[at] = byte;
          expectTensorsOrSentence(bytes);
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("any JSON in place of the header gives weights or one clear sentence", () => {
    const number = fc.oneof(fc.nat(16), fc.integer(), fc.double(), fc.constantFrom(2 ** 31, 2 ** 53, 1e300));
    const entry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom("F32", "U32", "F16", "I64"), fc.jsonValue()),
        shape: fc.oneof(fc.array(number, { maxLength: 4 }), fc.jsonValue()),
        data_offsets: fc.oneof(fc.tuple(number, number), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const header = fc.oneof(fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue())), fc.jsonValue());
    fc.assert(
      fc.property(header, fc.nat(64), (json, dataBytes) => {
        expectTensorsOrSentence(fileOf(JSON.stringify(json), dataBytes));
      }),
      { numRuns: 1500 },
    );
  });
});

/** Weights no larger than the file allows, or a {@link FileError} of one short line. */
function expectTensorsOrSentence(bytes: Uint8Array): void {
  try {
    for (const { data } of parseSafetensors(bytes, "x.safetensors").tensors.values()) {
      expect(data.byteLength).toBeLessThanOrEqual(2 * bytes.length);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(/^Cannot read x\.safetensors.{1,500}\.$/);
  }
}

describe("the file", () => {
  const weights = new Map<string, HostTensor>([
    ["w", float32([2, 1], 1, NaN)],
    ["steps", { shape: [], data: Uint32Array.of(7) }],
  ]);

  test("written and read back it is bit-identical, and as the encoder has it", async () => {
    const path = inFolder("model.safetensors");
    await writeSafetensors(path, weights, { classes: "59" });
    const read = await readSafetensors(path);
    expect(bitsOf(read.tensors)).toEqual(bitsOf(weights));
    expect(read.metadata).toEqual({ classes: "59" });
    expect(new Uint8Array(await readFile(path))).toEqual(encodeSafetensors(weights, { classes: "59" }));
  });

  test("only a tensor's own part of a shared buffer is written", async () => {
    const path = inFolder("view.safetensors");
    const view = Float32Array.of(0, 1, 2, 3).subarray(1, 3);
    await writeSafetensors(path, new Map([["view", { shape: [2], data: view }]]));
    expect((await readSafetensors(path)).tensors.get("view")!.data).toEqual(Float32Array.of(1, 2));
  });

  test("a write that fails half-way leaves the old file and nothing else", async () => {
    await mkdir(inFolder("full"));
    const path = inFolder("full/model.safetensors");
    await writeSafetensors(path, weights);
    const before = await readFile(path);
    function* chunks(): Generator<Uint8Array> {
      yield new Uint8Array(1000);
      throw Object.assign(new Error("write"), { code: "ENOSPC" });
    }
    await expect(writeFileAtomically(path, chunks())).rejects.toThrow(
      `Cannot write ${path}: the disk is full; free some space or choose another path.`,
    );
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(inFolder("full"))).toEqual(["model.safetensors"]);
  });

  test.skipIf(process.platform === "win32")("a real failure to write is one sentence, too", async () => {
    await mkdir(inFolder("limited"));
    const path = inFolder("limited/model.safetensors");
    const module = fileURLToPath(new URL("../../src/weights/safetensors-file.ts", import.meta.url));
    const script = `
      import { writeSafetensors } from ${JSON.stringify(module)};
      const big = new Map([["w", { shape: [100000], data: new Float32Array(100000) }]]);
      await writeSafetensors(${JSON.stringify(path)}, big).catch((error) => console.log(error.message));`;
    await writeFile(inFolder("limited.mts"), script);
    const tsx = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;
    const command = 'ulimit -f 64 && trap "" XFSZ && exec "$0" --import "$1" "$2"';
    const child = await promisify(execFile)("sh", [
      "-c",
      command,
      process.execPath,
      tsx,
      inFolder("limited.mts"),
    ]);
    expect(child.stdout).toContain(`Cannot write ${path}: it would be larger than the file size limit`);
    expect(await readdir(inFolder("limited"))).toEqual([]);
  });

  test("no folder, a folder in the way, no such file, a folder to read", async () => {
    const nowhere = inFolder("nowhere/model.safetensors");
    await expect(writeSafetensors(nowhere, weights)).rejects.toThrow(
      `Cannot write ${nowhere}: its folder does not`,
    );
    await mkdir(inFolder("taken"));
    await expect(writeSafetensors(inFolder("taken"), weights)).rejects.toThrow(
      "a folder of that name is in the way",
    );
    expect((await stat(inFolder("taken"))).isDirectory()).toBe(true);
    await expect(readSafetensors(inFolder("absent"))).rejects.toThrow("there is no such file");
    await expect(readSafetensors(inFolder("taken"))).rejects.toThrow("it is a folder");
  });
});
