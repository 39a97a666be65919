import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** A protobuf message in pieces, so that what is large in it need not be copied. */
export interface Encoded {
  readonly bytes: number;
  readonly chunks: readonly Uint8Array[];
}

/** Puts a protobuf message together, field by field. */
export class Message {
  readonly #chunks: Uint8Array[] = [];
  #small = new BinaryWriter();

  /** A field of type `int32`, `int64` or an enum. */
  int(field: number, value: number): this {
    this.#small.tag(field, WireType.Varint).int64(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#small.tag(field, WireType.Bit32).float(value);
    return this;
  }

  string(field: number, value: string): this {
    this.#small.tag(field, WireType.LengthDelimited).string(value);
    return this;
  }

  /** A field of repeated `int64`s; one by one, because ONNX's schema is of proto2 and does not ask for packing. */
  ints(field: number, values: readonly number[]): this {
    for (const value of values) this.int(field, value);
    return this;
  }

  /** A field of bytes, which must not change until the message is written. */
  data(field: number, bytes: Uint8Array): this {
    return this.message(field, { bytes: bytes.length, chunks: [bytes] });
  }

  /** A field that is a message. */
  message(field: number, { bytes, chunks }: Encoded): this {
    this.#small.tag(field, WireType.LengthDelimited).uint32(bytes);
    this.#flush();
    for (const chunk of chunks) this.#chunks.push(chunk);
    return this;
  }

  finish(): Encoded {
    this.#flush();
    return { bytes: this.#chunks.reduce((sum, { length }) => sum + length, 0), chunks: this.#chunks };
  }

  #flush(): void {
    this.#chunks.push(this.#small.finish());
    this.#small = new BinaryWriter();
  }
}
