import type { Gpu } from "../../src/gpu/gpu.ts";
import type { Kernel, SubgroupMatrix } from "../../src/kernels/kernel.ts";

const EXTENSION = "enable chromium_experimental_subgroup_matrix;";

/** Invocations that are taken for a subgroup, as NVIDIA's are. */
export const EMULATED_LANES = 32;

export const EMULATED_MATRIX: SubgroupMatrix = {
  component: "f16",
  ...{ rows: 16, columns: 16, depth: 16 },
  ...{ lanes: EMULATED_LANES, asksForLanes: false, workgroupMultiple: EMULATED_LANES },
};

export type EmulatedOperands = "f16" | "rounded" | "f32";

const WORKGROUP_BYTES = "maxComputeWorkgroupStorageSize";

/** Whether an adapter has no subgroup matrices of its own. */
export const mustEmulate = ({ features }: Pick<Gpu, "features">): boolean =>
  !features.has("chromium-experimental-subgroup-matrix");

/** Whether a kernel multiplies subgroup matrices. */
export const usesMatrices = ({ wgsl }: Kernel): boolean => wgsl.includes(EXTENSION);

/**
 * `gpu` as one whose subgroups have matrices, for programs of the family "workgroup": they are emulated.
 *
 * @param operands of emulated matrices; see {@link emulateMatrices}
 */
export function withEmulatedMatrices(
  gpu: Gpu,
  matrix = EMULATED_MATRIX,
  operands: EmulatedOperands = "rounded",
): Gpu {
  const pretended: Partial<Record<string | symbol, unknown>> = {
    subgroupMatrix: matrix,
    refuseMatrix(reason: string) {
      throw new Error(reason);
    },
    // What emulates them keeps the slabs in f32.
    limits: new Proxy(gpu.limits, {
      get: (own, name) => Number(Reflect.get(own, name, own)) / (name === WORKGROUP_BYTES ? 2 : 1),
    }),
    pipelines: {
      get: (kernel: Kernel) =>
        gpu.pipelines.get(usesMatrices(kernel) ? emulateMatrices(kernel, operands) : kernel),
    },
  };
  return new Proxy(gpu, {
    get(own, name) {
      if (name in pretended) return pretended[name];
      const value: unknown = Reflect.get(own, name, own);
      return typeof value === "function" ? (value.bind(own) as unknown) : value;
    },
  });
}

/**
 * A kernel that multiplies subgroup matrices, for an adapter that has none: the built-in functions are replaced by ones that
 * say the same in plain WGSL, for subgroups of {@link EMULATED_LANES} neighbouring invocations, whatever the adapter's own are like. An
 * operand is the place in workgroup memory that it would be loaded from; a result is spread over the lanes in vec4.
 *
 * @param operands how the slabs hold them: `"f16"`, as on hardware; `"rounded"` to f16 in f32, which a CPU is quicker with, but
 *   takes twice the memory; or in `"f32"`, the default, so that a wrong element cannot hide behind the rounding.
 * @throws Error when the kernel uses a built-in function in a way that is not known here.
 */
export function emulateMatrices(kernel: Kernel, operands: EmulatedOperands = "f32"): Kernel {
  const lanes = EMULATED_LANES;
  const [, columns, rows] = /subgroup_matrix_result<f32, (\d+), (\d+)>/.exec(kernel.wgsl)!.map(Number);
  const [, depth] = /subgroup_matrix_left<f(?:16|32), (\d+)/.exec(kernel.wgsl)!.map(Number);
  const vectors = Array.from({ length: Math.ceil((rows * columns) / 4 / lanes) }, (_, i) => i);
  const place = String.raw`\(&(?:left|right)Tile, (.*), (\d+u)\);`;
  const load = (type: string, layout: string): RegExp =>
    new RegExp(`subgroupMatrixLoad<${type}<[^>]*>, ${layout}>${place}`, "g");
  const wgsl = kernel.wgsl
    .replace(EXTENSION, "")
    .replace("@builtin(subgroup_id) subgroup: u32,\n) {", `) {\n  let subgroup = local / ${lanes}u;`)
    .replaceAll(load("subgroup_matrix_left", "row_major"), "Lines($1, $2);")
    .replaceAll(load("subgroup_matrix_right", "col_major"), "Lines($1, $2);")
    .replaceAll(/subgroup_matrix_result<[^>]*>/g, "Sums")
    .replaceAll("subgroupMatrixMultiplyAccumulate(", "multiplyAccumulate(local, ")
    .replaceAll("subgroupMatrixStore<row_major>(&resultTile, ", "storeSums(local, ");
  const left = /subgroup_?matrix/i.exec(wgsl);
  if (left) throw new Error(`Not emulated: ${wgsl.slice(left.index, left.index + 100)}`);
  const each = (text: (v: number) => string): string => vectors.map(text).join("\n  ");
  const vector = (v: number): string => `(${v * lanes}u + local % ${lanes}u)`;
  const functions = /* wgsl */ `
/** Where the first vec4 lies, and how many vec4 lie between lines: rows of the left matrix, columns of the right one. */
struct Lines { begin: u32, stride: u32 }
struct Sums { ${vectors.map((v) => `v${v}: vec4f`).join(", ")} }

fn multiplyAccumulate(local: u32, left: Lines, right: Lines, sums: Sums) -> Sums {
  var result = sums;
  // It is 1, but the compiler does not know, and leaves the loops rolled up.
  let one = 1u + local / 65536u;
  for (var v = 0u; v < ${vectors.length}u * one; v++) {
    let vector = v * ${lanes}u + local % ${lanes}u;
    let row = left.begin + vector / ${columns / 4}u * left.stride;
    var column = right.begin + 4u * (vector % ${columns / 4}u) * right.stride;
    var products = vec4f();
    for (var j = 0u; j < 4u * one; j++) {
      var product = 0.0;
      for (var k = 0u; k < ${depth / 4}u * one; k++) { product += dot(vec4f(leftTile[row + k]), vec4f(rightTile[column + k])); }
      products = vec4f(products.yzw, product);
      column += right.stride;
    }
    // After the last one all are where they were.
    result = Sums(${[...vectors.slice(1).map((v) => `result.v${v}`), "result.v0 + products"].join(", ")});
  }
  return result;
}

fn storeSums(local: u32, at: u32, sums: Sums, stride: u32) {
  ${each((v) => `${(v + 1) * lanes > (rows * columns) / 4 ? `if (${vector(v)} < ${(rows * columns) / 4}u) ` : ""}resultTile[at + ${vector(v)} / ${columns / 4}u * stride + ${vector(v)} % ${columns / 4}u] = sums.v${v};`)}
}
`;
  return { ...kernel, wgsl: (operands === "f16" ? wgsl : widened(wgsl, operands)) + functions };
}

/** A text whose slabs are f32. */
const widened = (wgsl: string, operands: EmulatedOperands): string =>
  wgsl
    .replaceAll(/(var<workgroup> (?:left|right)Tile): array<vec4h,/g, "$1: array<vec4f,")
    .replaceAll(
      /((?:left|right)Tile\[.*\] = )vec4h\(/g,
      operands === "rounded" ? "$1quantizeToF16(" : "$1vec4f(",
    );
