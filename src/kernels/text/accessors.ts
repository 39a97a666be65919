/**
 * @file How a kernel's text gets at its buffers: by functions that are generated beside each declaration. `load_x(i)` is
 * element `i` of the buffer `x`, and `store_y(i, value)` replaces one of `y`, which the kernel may write. What the
 * numbers are stored in is a matter of these functions alone: the text computes in f32 either way.
 *
 * The array itself is called `stored_x`, so a text that says `x[i]` does not compile.
 */

/** A storage buffer of a kernel. */
export interface KernelBinding {
  /** By which the text and the operands of a dispatch know it. */
  readonly name: string;
  /** What the kernel computes with, in WGSL, e.g. `array<vec4f>`. */
  readonly type: string;
  /** What is in memory instead. */
  readonly storage?: "f16";
  /** Whether the kernel may write it. */
  readonly access: "read" | "read_write";
}
/** What buffers are stored in, by name, where it is not the type that the kernel computes with. */
export type StorageTypes = Readonly<Record<string, "f16">>;

/** Arrays of numbers, or of vectors of them. */
const ARRAY = /^array<((?:f32|f16|i32|u32)|vec[234](?:[fhiu]|<(?:f32|f16|i32|u32)>))(?:, *\w+)?>$/;

/** What an element may be in memory instead. */
const HALVES: Readonly<Record<string, string>> = { f32: "f16", vec4f: "vec4h" };

/** Type of a buffer's elements; none where it has no accessors. */
const elementOf = ({ type }: KernelBinding): string | undefined => ARRAY.exec(type)?.[1];

/** Whether a buffer can be stored in f16. */
export const canBeHalf = (binding: KernelBinding): boolean => (elementOf(binding) ?? "") in HALVES;

/**
 * WGSL that declares a buffer as number `index` of the group, and its accessors. Buffers of anything but numbers and
 * vectors (atomics, structs) have none, and are declared under their own names.
 */
export function bufferText(binding: KernelBinding, index: number): string {
  const { name, type, access, storage } = binding;
  const declare = (variable: string, type: string): string =>
    `@group(0) @binding(${index}) var<storage, ${access}> ${variable}: ${type};\n`;
  const element = elementOf(binding);
  if (element === undefined) return declare(name, type);
  const stored = storage === "f16" ? HALVES[element] : element;
  const as = (to: string, value: string): string => (stored === element ? value : `${to}(${value})`);
  const load = `fn load_${name}(i: u32) -> ${element} { return ${as(element, `stored_${name}[i]`)}; }\n`;
  const store = `fn store_${name}(i: u32, value: ${element}) { stored_${name}[i] = ${as(stored, "value")}; }\n`;
  return (
    declare(`stored_${name}`, type.replace(element, stored)) + load + (access === "read_write" ? store : "")
  );
}
