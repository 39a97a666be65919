import fc from "fast-check";
import type { HostTensor, NamedTensors, TensorData } from "../../src/weights/tensors.ts";

const CONSTRUCTORS = [Float32Array, Int32Array, Uint32Array];

/** A tensor of any rank, scalars and empty ones included, of any bits, NaNs included. */
const arbitraryTensor: fc.Arbitrary<HostTensor> = fc
  .tuple(fc.array(fc.nat(4), { maxLength: 4 }), fc.constantFrom(...CONSTRUCTORS))
  .chain(([shape, constructor]) => {
    const elements = shape.reduce((product, extent) => product * extent, 1);
    return fc.uint8Array({ minLength: elements * 4, maxLength: elements * 4 }).map((bytes) => ({
      shape,
      data: new constructor(bytes.slice().buffer),
    }));
  });

const names = fc.oneof(
  fc.constantFrom("conv1/conv/kernel", "conv1/bn/gamma", "__proto__", "0", 'ü\n"\\', ""),
  fc.string({ unit: "grapheme" }),
);

export const arbitraryTensors: fc.Arbitrary<NamedTensors> = fc
  .array(fc.tuple(names, arbitraryTensor), { maxLength: 6 })
  .map((entries) => new Map(entries.filter(([name]) => name !== "__metadata__")));

export const arbitraryMetadata = fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 });

export function float32(shape: number[], ...values: number[]): HostTensor {
  return { shape, data: Float32Array.from(values) };
}

/** What must be equal for two sets of weights to be bit-identical, their order aside. */
export function bitsOf(tensors: NamedTensors): object[] {
  const bits = (data: TensorData) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
  return [...tensors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { shape, data }]) => ({ name, shape, type: data.constructor.name, bits: bits(data) }));
}
