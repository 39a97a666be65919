/**
 * @file The prologue of an implicit GEMM: what a matrix product makes of an operand while it loads it, so that what can be computed again for little is
 * never stored: a range of the channels of a wider tensor, a batch norm with ReLU, the gradient of a batch norm.
 *
 * A load works on lanes of `width` channels (a `vec4f` of four, or one), and so do its offsets and strides.
 */
import { activationText } from "../text/activation.ts";
import type { ActivationKind } from "../text/activation.ts";
import { u32 } from "../kernel.ts";
import type { KernelTarget, Uniform } from "../kernel.ts";
import { allChannels } from "../text/channel-range.ts";
import type { ChannelRange } from "../text/channel-range.ts";

export interface Load {
  readonly width: 4 | 1;
  /** Name to WGSL type of every buffer it reads; each begins at the field `<name>Begin` unless {@link Begins} says otherwise. */
  readonly read: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, Uniform>>;
  /** WGSL functions that the other texts call. */
  readonly functions?: string;
  /** What belongs to a lane of channels, whatever the pixel. */
  readonly constants?: LaneConstants;
  /** WGSL that declares the {@link constants} of lane `lane`; empty when there are none. */
  channel(lane: string, id?: string): string;
  /** WGSL that declares where the pixel number `pixel` begins. */
  pixel(pixel: string, id: string): string;
  /** WGSL that declares where the pixel begins that is `pixels` further, the same in all invocations, than the one declared as `from`. */
  pixelAfter(from: string, pixels: string, id: string): string;
  /** The value of lane `lane` of the pixel declared as `id`, with the channel declared as `channelId`. */
  value(lane: string, id: string, channelId?: string): string;
  /** Of tensors that are joined along their channels: each by itself, so that a loop can take one after the other. */
  readonly parts?: readonly LoadPart[];
}

/** Numbers of a lane of channels, of one buffer. */
export interface LaneConstants {
  readonly names: readonly string[];
  /** Text of number `index` of them, of lane `lane`. */
  readonly value: (index: string, lane: string) => string;
}

/** One of several tensors that are joined. */
export interface LoadPart {
  readonly load: Load;
  /** Text of the number of its lanes. */
  readonly lanes: string;
}

const declared = ({ names, value }: LaneConstants, lane: string, id: string): string =>
  names.map((name, index) => `let ${name}${id} = ${value(`${index}u`, lane)};`).join("\n      ");

/** Which element a load begins at, as text: a field of the uniform block, unless a kernel of many layers knows better. */
export type Begins = Readonly<Record<string, string>>;

const arrayOf = (width: 4 | 1): string => (width === 4 ? "array<vec4f>" : "array<f32>");

/** A buffer's channels as they are: `range` of each pixel of a tensor `[.., range.width]`. */
export function plainLoad(name: string, width: 4 | 1, range: ChannelRange, begins: Begins = {}): Load {
  const begin = begins[name] ?? `params.${name}Begin`;
  return {
    width,
    read: { [name]: arrayOf(width) },
    params: { [`${name}Stride`]: u32(range.width / width), [`${name}Begin`]: u32(range.begin / width) },
    channel: () => "",
    pixel: (pixel, id) => `let ${name}At${id} = ${pixel} * params.${name}Stride + ${begin};`,
    pixelAfter: (from, pixels, id) =>
      `let ${name}At${id} = ${name}At${from} + ${pixels} * params.${name}Stride;`,
    value: (lane, id) => `load_${name}(${name}At${id} + ${lane})`,
  };
}

/**
 * Two tensors taken for one, joined along their channels, both multiples of `width`.
 *
 * A GPU loads from both and takes one of the values: behind a branch each load would wait for the one before. Lanes that need
 * the other tensor's all load the same channel, so it is little more to bring. On a CPU a load is dear and a branch is not.
 */
export function joinedLoad(
  { family }: Pick<KernelTarget, "family">,
  width: 4 | 1,
  first: { readonly name: string; readonly channels: number },
  second: { readonly name: string; readonly channels: number },
): Load {
  const [a, b] = [first, second].map(({ name, channels }) => plainLoad(name, width, allChannels(channels)));
  return {
    width,
    read: { ...a.read, ...b.read },
    params: { ...a.params, ...b.params },
    functions: /* wgsl */ `
fn joined(first: u32, second: u32, lane: u32) -> ${width === 4 ? "vec4f" : "f32"} {
  let ofFirst = params.${first.name}Stride;
  ${
    family === "workgroup"
      ? `let value = load_${first.name}(first + min(lane, ofFirst - 1u));
  return select(load_${second.name}(second + max(lane, ofFirst) - ofFirst), value, lane < ofFirst);`
      : `if (lane < ofFirst) { return load_${first.name}(first + lane); }
  return load_${second.name}(second + lane - ofFirst);`
  }
}
`,
    channel: () => "",
    parts: [
      { load: a, lanes: `params.${first.name}Stride` },
      { load: b, lanes: `params.${second.name}Stride` },
    ],
    pixel: (pixel, id) => `${a.pixel(pixel, id)} ${b.pixel(pixel, id)}`,
    pixelAfter: (...after) => `${a.pixelAfter(...after)} ${b.pixelAfter(...after)}`,
    value: (lane, id) => `joined(${first.name}At${id}, ${second.name}At${id}, ${lane})`,
  };
}

/** Where a batch norm's planes lie in the buffer that holds them; see norm-planes.ts. */
export interface Planes {
  /** Channels of one plane. */
  readonly size: number;
  /** Channels from the start of the first plane that is meant to its first channel that is meant. */
  readonly begin: number;
}

/**
 * `activation((x − mean)·scale + beta)`: a batch norm and what follows it. `norm` holds these three planes, one after the
 * other, from `planes.begin` on; see norm-planes.ts.
 */
export function activationLoad(
  name: string,
  width: 4 | 1,
  range: ChannelRange,
  planes: Planes & { readonly activation: ActivationKind },
  begins: Begins = {},
): Load {
  const plain = plainLoad(name, width, range, begins);
  const begin = begins.norm ?? "params.normBegin";
  const constants: LaneConstants = {
    names: ["mean", "scale", "beta"],
    value: (index, lane) => `load_norm(${index} * params.normSize + ${begin} + ${lane})`,
  };
  return {
    ...plain,
    constants,
    read: { ...plain.read, norm: arrayOf(width) },
    params: { ...plain.params, normSize: u32(planes.size / width), normBegin: u32(planes.begin / width) },
    functions: activatedText(planes.activation, width),
    channel: (lane, id = "") => declared(constants, lane, id),
    value: (lane, id, channelId = "") =>
      `activated(fma(${plain.value(lane, id)} - mean${channelId}, scale${channelId}, beta${channelId}))`,
  };
}

/** `activation(x)`, of the channels `range`. */
export function activatedLoad(
  name: string,
  width: 4 | 1,
  range: ChannelRange,
  activation: ActivationKind,
  begins: Begins = {},
): Load {
  const plain = plainLoad(name, width, range, begins);
  return {
    ...plain,
    functions: activatedText(activation, width),
    value: (lane, id) => `activated(${plain.value(lane, id)})`,
  };
}

const activatedText = (activation: ActivationKind, width: 4 | 1): string => {
  const type = width === 4 ? "vec4f" : "f32";
  return /* wgsl */ `
fn activated(before: ${type}) -> ${type} { return ${activationText(activation, "before", type)}; }
`;
};

/**
 * The gradient of a batch norm by its input y, from `dz`, the gradient of its output (or a multiple of it), in the form
 * `slope·dz + tilt·(y − mean) + offset`: `coefficients` holds the planes mean, slope, tilt and offset, one after the other,
 * from `planes.begin` on.
 */
export function normGradientLoad(
  width: 4 | 1,
  dz: { readonly name: string; readonly range: ChannelRange },
  y: { readonly name: string; readonly range: ChannelRange },
  planes: Planes,
  begins: Begins = {},
): Load {
  const [gradient, input] = [dz, y].map(({ name, range }) => plainLoad(name, width, range, begins));
  const begin = begins.coefficients ?? "params.coefficientsBegin";
  const constants: LaneConstants = {
    names: ["centre", "slope", "tilt", "offset"],
    value: (index, lane) => `load_coefficients(${index} * params.coefficientsSize + ${begin} + ${lane})`,
  };
  return {
    width,
    read: { ...gradient.read, ...input.read, coefficients: arrayOf(width) },
    params: {
      ...gradient.params,
      ...input.params,
      coefficientsSize: u32(planes.size / width),
      coefficientsBegin: u32(planes.begin / width),
    },
    constants,
    channel: (lane, id = "") => declared(constants, lane, id),
    pixel: (pixel, id) => `${gradient.pixel(pixel, id)} ${input.pixel(pixel, id)}`,
    pixelAfter: (...after) => `${gradient.pixelAfter(...after)} ${input.pixelAfter(...after)}`,
    value: (lane, id, channelId = "") =>
      `fma(${gradient.value(lane, id)}, slope${channelId}, fma(${input.value(lane, id)} - centre${channelId}, tilt${channelId}, offset${channelId}))`,
  };
}
