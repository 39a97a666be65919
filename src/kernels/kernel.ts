/**
 * @file What a kernel is: one compute dispatch, described without a GPU.
 *
 * A kernel function takes shapes and a {@link KernelTarget} and returns a {@link Kernel}: the whole WGSL text, the
 * names and order of its bindings, its uniform block and its dispatch grid. Nothing here touches a device, so a
 * kernel can be read, printed and tested anywhere.
 *
 * Shapes go into the uniform block, so that one pipeline serves many layers; a constant is put into the text only
 * where it pays (the pipeline cache is keyed by the text itself).
 */

import { bufferText, canBeHalf } from "./text/accessors.ts";
import type { KernelBinding, StorageTypes } from "./text/accessors.ts";
import type { SubgroupMatrix } from "../gpu/subgroup-matrix.ts";
import type { KernelFamily, TileFor, Tiling } from "./tiling.ts";

export type { KernelBinding, SubgroupMatrix };

/** What a kernel may know of the adapter it is written for. */
export interface KernelTarget {
  /** Which family of matrix kernels to use. */
  readonly family: KernelFamily;
  /** Lanes a subgroup when the adapter has the `subgroups` feature and one fixed size; otherwise 0. */
  readonly subgroupSize: number;
  /** How a subgroup multiplies matrices into sums of f32; null when it cannot. */
  readonly subgroupMatrix: SubgroupMatrix | null;
  /** Largest range of a buffer that one binding may cover, in bytes. */
  readonly maxBindingBytes: number;
  /** Largest buffer, in bytes. */
  readonly maxBufferBytes: number;
  /** What the offset of a binding must be a multiple of, in bytes. */
  readonly offsetAlignment: number;
  /** Storage buffers that one dispatch may bind; every adapter has 8. */
  readonly maxStorageBuffers: number;
  /** Largest number of workgroups along one dimension of a dispatch. */
  readonly maxWorkgroupsPerDimension: number;
  /** Memory that the invocations of a workgroup may share, in bytes. */
  readonly maxWorkgroupBytes: number;
  /** Invocations that a workgroup may have. */
  readonly maxInvocations: number;
  /** The tile that a product begins with on adapters of this kind, where one is known; what `tileFor` chooses overrules it. */
  readonly shippedTile?: TileFor | undefined;
  /** Chooses the tiles of matrix products; without it they are the default ones. */
  readonly tileFor?: TileFor | undefined;
}

/** A scalar of the uniform block, with its WGSL type. */
export interface Uniform {
  /** Its WGSL type. */
  readonly type: "u32" | "i32" | "f32";
  /** A whole number where the type is an integer's. */
  readonly value: number;
}
/** The type of an output or input of f32: `compile<{ loss: f32; labels: u32 }>(…)`. */
export type f32 = "f32";
/** The type of an output or input of u32; see {@link f32}. */
export type u32 = "u32";
/** A whole number from 0 in the uniform block. */
export const u32 = (value: number): Uniform => ({ type: "u32", value });
/** A whole number in the uniform block. */
export const i32 = (value: number): Uniform => ({ type: "i32", value });
/** A number in the uniform block, rounded to f32. */
export const f32 = (value: number): Uniform => ({ type: "f32", value });

/** One compute dispatch. Bindings are numbered in order: what is read, what is written, then the uniform block. */
export interface Kernel {
  /** What the profiler and error messages call it, e.g. `conv2d_forward`. */
  readonly label: string;
  /** The whole shader, for what the bindings are stored in; its entry point is `main`. */
  readonly wgsl: string;
  /** What it is made of besides the bindings, from which the text is made anew for bindings that are stored otherwise. */
  readonly source: KernelSource;
  /** The storage buffers in binding order. */
  readonly bindings: readonly KernelBinding[];
  /** The uniform block, bound after the storage buffers; absent when the kernel has no parameter. */
  readonly uniforms?: ArrayBuffer;
  /** Workgroups along x, y and z. */
  readonly workgroups: readonly [number, number, number];
  /** Of a matrix product. */
  readonly tiling?: Tiling;
  /** Of a matrix product: the floating-point operations that it is made of, a multiply-add being two. */
  readonly flops?: number;
}

/** The text of a shader before and behind the declarations of its buffers. */
export interface KernelSource {
  /** WGSL `enable` directives. */
  readonly enable: string;
  /** WGSL behind the declarations of the buffers, that of the uniform block included. */
  readonly body: string;
}

/** What a kernel's author writes; {@link defineKernel} makes the declarations from it. */
export interface KernelDefinition {
  /** What the profiler and error messages call it, e.g. `conv2d_forward`. */
  label: string;
  /** Buffers only read: name to WGSL type, e.g. `{ x: "array<vec4f>" }`. */
  read: Record<string, string>;
  /** Buffers written (and perhaps read): name to WGSL type. */
  write: Record<string, string>;
  /** Fields of `params`, the uniform block: shapes, strides, rates. */
  params?: Record<string, Uniform>;
  /** Text that must come before every declaration, e.g. `enable subgroups;`. */
  enable?: string;
  /** Workgroups along x, y and z. */
  workgroups: readonly [number, number, number];
  /**
   * The functions, with `@compute fn main`. In scope are `params` and for each buffer `load_<name>(i)` and, where it is
   * written, `store_<name>(i, value)`; see text/accessors.ts.
   */
  body: string;
}

/**
 * Makes a {@link Kernel}: generates the WGSL declarations of its buffers, what loads from and stores to them, and its
 * uniform block (`params`) from the same record that fills the block, so that text and data cannot disagree.
 *
 * @throws Error when a parameter is a fraction and its type is an integer's.
 */
export function defineKernel(definition: KernelDefinition): Kernel {
  const { label, read, write, params = {}, enable = "", workgroups, body } = definition;
  const bindings = [...bindingsOf(read, "read"), ...bindingsOf(write, "read_write")];
  const block = uniformBlock(label, params, bindings.length);
  const source = { enable, body: block.declaration + body };
  return {
    label,
    wgsl: wgslOf(source, bindings),
    source,
    bindings,
    ...(block.uniforms && { uniforms: block.uniforms }),
    workgroups,
  };
}

/**
 * `kernel` for buffers that are stored in other types than it computes with: f16 (IEEE 754 binary16) is widened where it is
 * loaded, and what is stored is rounded to it. That needs the feature `shader-f16`.
 *
 * @throws Error when a buffer holds anything but f32, or there is none of that name.
 */
export function withStorage(kernel: Kernel, storage: StorageTypes): Kernel {
  const names = Object.keys(storage);
  if (names.length === 0) return kernel;
  for (const name of names) {
    const binding = kernel.bindings.find((each) => each.name === name);
    if (!binding) throw new Error(`${kernel.label} has no binding "${name}".`);
    if (!canBeHalf(binding)) throw new Error(`${kernel.label}: "${name}", ${binding.type}, cannot hold f16.`);
  }
  const bindings = kernel.bindings.map((binding) =>
    names.includes(binding.name) ? { ...binding, storage: storage[binding.name] } : binding,
  );
  return { ...kernel, bindings, wgsl: wgslOf(kernel.source, bindings) };
}

const bindingsOf = (buffers: Record<string, string>, access: KernelBinding["access"]): KernelBinding[] =>
  Object.entries(buffers).map(([name, type]) => ({ name, type, access }));

function wgslOf({ enable, body }: KernelSource, bindings: readonly KernelBinding[]): string {
  const half = bindings.some(({ storage }) => storage === "f16");
  const directives = (half ? "enable f16;\n" : "") + (enable === "" ? "" : `${enable}\n`);
  return directives + bindings.map(bufferText).join("") + body;
}

/** The uniform block of `params`, bound as number `binding`, and its declaration; neither where there is none. */
function uniformBlock(
  label: string,
  params: Record<string, Uniform>,
  binding: number,
): { declaration: string; uniforms?: ArrayBuffer } {
  const fields = Object.entries(params);
  if (fields.length === 0) return { declaration: "" };
  // A uniform block's size is rounded up to 16 bytes.
  const uniforms = new ArrayBuffer(Math.ceil(fields.length / 4) * 16);
  const view = new DataView(uniforms);
  fields.forEach(([name, { type, value }], i) => {
    if (type === "f32") view.setFloat32(4 * i, value, true);
    else if (!Number.isInteger(value)) throw new Error(`${label}: ${name} = ${value} is not an integer.`);
    else if (type === "u32") view.setUint32(4 * i, value, true);
    else view.setInt32(4 * i, value, true);
  });
  const declaration = `struct Params { ${fields.map(([name, { type }]) => `${name}: ${type}`).join(", ")} }
@group(0) @binding(${binding}) var<uniform> params: Params;
`;
  return { declaration, uniforms };
}

/**
 * A grid for `count` independent items, `size` of them a workgroup, folded into y where x alone would pass the
 * adapter's limit. {@link linearIndex} is its other half in WGSL.
 */
export function linearGrid(target: KernelTarget, count: number, size: number): [number, number, number] {
  const groups = Math.max(1, Math.ceil(count / size));
  const x = Math.min(groups, target.maxWorkgroupsPerDimension);
  return [x, Math.ceil(groups / x), 1];
}

/**
 * WGSL for the item an invocation works on under {@link linearGrid}: put it at the start of `main`, whose parameters
 * must be `@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u`, and leave when
 * `index >= params.count`.
 */
export function linearIndex(size: number): string {
  return `let index = id.y * groups.x * ${size}u + id.x;`;
}
