import type { Plan } from "../../src/graph/plan.ts";
import { bytesOf } from "../../src/graph/shape.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import type { PretendedAdapter } from "./pretended-adapters.ts";

/** The feature that each `enable` of a shader needs. */
const FEATURE_OF: Readonly<Record<string, string>> = {
  f16: "shader-f16",
  subgroups: "subgroups",
  subgroup_size_control: "subgroup-size-control",
  chromium_experimental_subgroup_matrix: "chromium-experimental-subgroup-matrix",
};

/** Bytes of a WGSL type that lies in workgroup memory. */
const SIZE_OF: Readonly<Record<string, number>> = {
  ...{ f32: 4, u32: 4, i32: 4, "atomic<u32>": 4, f16: 2, bool: 4 },
  ...{ vec2f: 8, vec4f: 16, vec4u: 16, vec2h: 4, vec4h: 8 },
};

/** Metal wants a binding to begin where an element of it may begin, and none is aligned to more than a vec4f. */
const LARGEST_ALIGNMENT = 16;

/** In which of its limits a plan passes an adapter: a sentence each, none where it can run. */
export function exceededLimits(
  { dispatches, blocks, inputs, variables, outputs }: Plan,
  { features, limits }: PretendedAdapter,
): string[] {
  const found = new Set<string>();
  const atMost = (what: string, value: number, limit: number): void => {
    if (!(value <= limit)) found.add(`${what}: ${value} of ${limit}`);
  };
  for (const bytes of blocks) atMost("a block of the arena", bytes, limits.maxBufferSize);
  for (const tensor of [...inputs, ...variables])
    atMost(`"${tensor.name}"`, bytesOf(tensor), limits.maxBufferSize);
  // What is read after a run is copied into one buffer.
  const read = [...outputs.values()].reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  atMost("the outputs", read, limits.maxBufferSize);
  for (const { kernel, bindings } of dispatches) {
    const { label, uniforms, workgroups } = kernel;
    atMost(`${label} binds storage buffers`, bindings.length, limits.maxStorageBuffersPerShaderStage);
    for (const { bytes, offset } of bindings) {
      atMost(`${label} binds bytes`, bytes, limits.maxStorageBufferBindingSize);
      const alignment = Math.max(LARGEST_ALIGNMENT, limits.minStorageBufferOffsetAlignment);
      if (offset % alignment !== 0)
        found.add(`${label} binds from ${offset}, not a multiple of ${alignment}`);
    }
    if (uniforms) atMost(`${label}'s uniforms`, uniforms.byteLength, limits.maxUniformBufferBindingSize);
    workgroups.forEach((groups, i) => {
      const what = `${label} runs workgroups along ${"xyz"[i]}`;
      atMost(what, groups, limits.maxComputeWorkgroupsPerDimension);
      if (!(Number.isInteger(groups) && groups > 0)) found.add(`${what}: ${groups}`);
    });
    const { size, workgroupBytes, enables } = textOf(kernel);
    const sizes = [
      limits.maxComputeWorkgroupSizeX,
      limits.maxComputeWorkgroupSizeY,
      limits.maxComputeWorkgroupSizeZ,
    ];
    size.forEach((extent, i) => atMost(`${label} has threads along ${"xyz"[i]}`, extent, sizes[i]));
    const threads = size.reduce((a, b) => a * b);
    atMost(`${label} has threads`, threads, limits.maxComputeInvocationsPerWorkgroup);
    atMost(`${label} shares bytes`, workgroupBytes, limits.maxComputeWorkgroupStorageSize);
    for (const enable of enables) {
      const feature = FEATURE_OF[enable];
      if (!feature) throw new Error(`${label} enables ${enable}, which no test knows.`);
      if (!features.has(feature)) found.add(`${label} enables ${enable}`);
    }
  }
  return [...found];
}

/** What one shader asks for. */
interface ShaderText {
  readonly size: readonly number[];
  /** As WebGPU counts them: each variable is rounded up to 16 bytes. */
  readonly workgroupBytes: number;
  readonly enables: readonly string[];
}

const texts = new Map<string, ShaderText>();

/** Reads it from the text, as the compiler does: what a kernel believes of itself may be wrong. */
function textOf({ label, wgsl }: Kernel): ShaderText {
  const known = texts.get(wgsl);
  if (known) return known;
  const size = /@workgroup_size\(([^)]*)\)/.exec(wgsl)?.[1].split(",").map(Number);
  if (!size?.every(Number.isInteger)) throw new Error(`${label} has no plain @workgroup_size.`);
  let workgroupBytes = 0;
  const declared = wgsl.match(/var<workgroup>/g)?.length ?? 0;
  const variables = [...wgsl.matchAll(/var<workgroup> \w+: (?:array<(.+), (\d+)>|([\w<>]+));/g)];
  if (variables.length !== declared) throw new Error(`${label} has workgroup memory of an unknown form.`);
  for (const [, element, count = "1", scalar] of variables) {
    const bytes = SIZE_OF[element ?? scalar];
    if (!bytes) throw new Error(`${label} shares ${element ?? scalar}, whose size no test knows.`);
    workgroupBytes += Math.ceil((Number(count) * bytes) / 16) * 16;
  }
  const enables = [...wgsl.matchAll(/\benable ([\w, ]+);/g)].flatMap(([, names]) => names.split(/, */));
  const text = { size, workgroupBytes, enables };
  texts.set(wgsl, text);
  return text;
}
