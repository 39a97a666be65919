/**
 * @file safetensors over bytes: the project's own format for weights, without a file system.
 *
 * Numbers are little-endian in the file and taken over as they lie, which is right on every machine that has
 * WebGPU. `NaN`s keep their bits.
 */
import { bfloat16ToFloat32, float16ToFloat32 } from "../half-floats.ts";
import {
  encodeHeader,
  headerLength,
  LENGTH_BYTES,
  parseHeader,
  type SafetensorsDtype,
  type SafetensorsEntry,
} from "./safetensors-header.ts";
import {
  elementCount,
  formatShape,
  int32FromInt64,
  type HostTensor,
  type Metadata,
  type NamedTensors,
  type TensorData,
} from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";

/**
 * Reads a whole safetensors file.
 *
 * @param source what the file is called in messages
 * @returns the tensors in the order of their bytes, each with memory of its own, and the `__metadata__`
 * @throws {WeightsError} where the bytes are not a valid file
 */
export function parseSafetensors(
  bytes: Uint8Array,
  source = "the file",
): { tensors: NamedTensors; metadata: Metadata } {
  const length = headerLength(bytes, bytes.byteLength, source);
  const data = bytes.subarray(LENGTH_BYTES + length);
  const json = bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
  const { entries, metadata } = parseHeader(json, data.byteLength, source);
  const tensors: NamedTensors = new Map();
  for (const entry of entries) {
    tensors.set(entry.name, decodeTensor(entry, data.slice(entry.begin, entry.end)));
  }
  return { tensors, metadata };
}

/**
 * A whole safetensors file in memory: F32, I32 and U32 as the tensors are, sorted by name, so that equal weights
 * give equal bytes whatever order they were gathered in.
 *
 * @throws {WeightsError} where a tensor has not as many numbers as its shape says
 */
export function encodeSafetensors(tensors: NamedTensors, metadata: Metadata = {}): Uint8Array {
  const chunks = [...safetensorsChunks(tensors, metadata)];
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** The bytes of {@link encodeSafetensors} in pieces: the header, then views of each tensor's own memory. */
export function* safetensorsChunks(tensors: NamedTensors, metadata: Metadata): Generator<Uint8Array> {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  let offset = 0;
  const entries = sorted.map(([name, { shape, data }]): SafetensorsEntry => {
    if (elementCount(shape) !== data.length) {
      throw new WeightsError(
        `Cannot save the tensor "${name}": its shape ${formatShape(shape)} does not hold ${data.length} numbers.`,
      );
    }
    const begin = offset;
    offset += data.byteLength;
    return { name, dtype: dtypeOf(data), shape, begin, end: offset };
  });
  yield encodeHeader({ entries, metadata });
  for (const [, { data }] of sorted) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * One tensor from its bytes.
 *
 * @param bytes exactly the entry's bytes, at the start of a buffer of their own, which the tensor keeps
 */
export function decodeTensor({ dtype, shape }: SafetensorsEntry, bytes: Uint8Array): HostTensor {
  return { shape, data: DECODERS[dtype](bytes.buffer) };
}

const DECODERS: Record<SafetensorsDtype, (buffer: ArrayBufferLike) => TensorData> = {
  F32: (buffer) => new Float32Array(buffer),
  I32: (buffer) => new Int32Array(buffer),
  U32: (buffer) => new Uint32Array(buffer),
  I64: (buffer) => int32FromInt64(new BigInt64Array(buffer)),
  F16: (buffer) => float16ToFloat32(new Uint16Array(buffer)),
  BF16: (buffer) => bfloat16ToFloat32(new Uint16Array(buffer)),
};

function dtypeOf(data: TensorData): SafetensorsDtype {
  if (data instanceof Float32Array) return "F32";
  return data instanceof Int32Array ? "I32" : "U32";
}
