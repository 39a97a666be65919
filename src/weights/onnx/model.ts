/**
 * @file The part of ONNX that is needed here (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) as plain objects,
 * and their bytes. The numbers in the encoders are those of the fields.
 */
import { Message, type Encoded } from "./message.ts";

export interface OnnxModel {
  readonly irVersion: number;
  readonly opset: number;
  readonly producer: string;
  readonly graph: OnnxGraph;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface OnnxGraph {
  readonly name: string;
  /** Each after all that it reads. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** Names of tensors; "" for one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] };

export type OnnxType = "float32" | "uint8" | "int64";

/** Numbers that are part of the model. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly data: Uint8Array;
}

/** What goes in or comes out; an extent that may be any is a name. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

/** `TensorProto.DataType`. */
const TYPES: Readonly<Record<OnnxType, number>> = { float32: 1, uint8: 2, int64: 7 };
/** `AttributeProto.AttributeType`. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** `ModelProto` in pieces. */
export function encodeModel({ irVersion, opset, producer, graph, metadata }: OnnxModel): Encoded {
  const message = new Message().int(1, irVersion).string(2, producer);
  message.message(7, encodeGraph(graph));
  message.message(8, new Message().string(1, "").int(2, opset).finish());
  for (const [key, value] of Object.entries(metadata)) {
    message.message(14, new Message().string(1, key).string(2, value).finish());
  }
  return message.finish();
}

function encodeGraph({ name, nodes, initializers, inputs, outputs }: OnnxGraph): Encoded {
  const message = new Message();
  for (const node of nodes) message.message(1, encodeNode(node));
  message.string(2, name);
  for (const tensor of initializers) message.message(5, encodeTensor(tensor));
  for (const value of inputs) message.message(11, encodeValue(value));
  for (const value of outputs) message.message(12, encodeValue(value));
  return message.finish();
}

function encodeNode({ name, operator, inputs, outputs, attributes }: OnnxNode): Encoded {
  const message = new Message();
  for (const input of inputs) message.string(1, input);
  for (const output of outputs) message.string(2, output);
  message.string(3, name).string(4, operator);
  for (const [key, value] of Object.entries(attributes)) message.message(5, encodeAttribute(key, value));
  return message.finish();
}

function encodeAttribute(name: string, value: OnnxAttribute): Encoded {
  const message = new Message().string(1, name);
  if ("float" in value) return message.float(2, value.float).int(20, ATTRIBUTE_TYPES.float).finish();
  if ("int" in value) return message.int(3, value.int).int(20, ATTRIBUTE_TYPES.int).finish();
  if ("string" in value) return message.string(4, value.string).int(20, ATTRIBUTE_TYPES.string).finish();
  return message.ints(8, value.ints).int(20, ATTRIBUTE_TYPES.ints).finish();
}

function encodeTensor({ name, type, shape, data }: OnnxTensor): Encoded {
  return new Message().ints(1, shape).int(2, TYPES[type]).string(8, name).data(9, data).finish();
}

function encodeValue({ name, type, shape }: OnnxValue): Encoded {
  const dimensions = new Message();
  for (const extent of shape) {
    const dimension = new Message();
    if (typeof extent === "number") dimension.int(1, extent);
    else dimension.string(2, extent);
    dimensions.message(1, dimension.finish());
  }
  const tensor = new Message().int(1, TYPES[type]).message(2, dimensions.finish());
  return new Message()
    .string(1, name)
    .message(2, new Message().message(1, tensor.finish()).finish())
    .finish();
}
